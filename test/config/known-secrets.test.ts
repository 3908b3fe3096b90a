import { join } from "node:path";
import { expect, test } from "vitest";
import { knownSecrets } from "../../src/config/known-secrets.ts";
import { projectFolder, type ProjectFolder } from "../support/project-folder.ts";

const secretsOf = async (
  folder: ProjectFolder,
  env: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> =>
  (await knownSecrets(folder.root, { HOME: folder.home, PATH: "/usr/bin", ...env })).toSorted();

test("keys of the configuration are secrets wherever they stand, also in a file that no run accepts", async () => {
  using folder = projectFolder();
  folder.write(join(folder.home, ".config/crush/crush.json"), {
    providers: {
      x: {
        type: "nonsense",
        api_key: "sk-user-1",
        extra_headers: { Authorization: "Bearer hdr-1234" },
      },
    },
  });
  folder.write("crush.json", {
    mcp: { m: { env: { GITHUB_TOKEN: "ghp_12345" }, headers: { "X-Api-Key": "mcp-key-1" } } },
    env: { DB_PASSWORD: "pass-w0rd", PLAIN: "not-a-secret-1" },
    options: { max_tokens: 5 },
  });
  expect(await secretsOf(folder)).toEqual([
    "Bearer hdr-1234",
    "ghp_12345",
    "hdr-1234",
    "mcp-key-1",
    "pass-w0rd",
    "sk-user-1",
  ]);
});

test("a variable of a template, a provider's own and what is named like a secret are taken from the environment", async () => {
  using folder = projectFolder();
  folder.write("crush.json", {
    providers: { x: { api_key: "${MINE:-}" }, y: { api_key: "$(pass y)" } },
  });
  const env = {
    MINE: "value-1",
    CRUSH_MINE: "value-2",
    OPENAI_API_KEY: "value-3",
    SOME_SECRET: "value-4",
    EDITOR_NAME: "value-5",
  };
  expect(await secretsOf(folder, env)).toEqual(["value-1", "value-2", "value-3", "value-4"]);
});

test("short texts and plain words are no secrets", async () => {
  using folder = projectFolder();
  folder.write("crush.json", {
    providers: { x: { api_key: "ollama" }, y: { api_key: "no-key" }, z: { api_key: "a1b2" } },
  });
  expect(await secretsOf(folder, { OPENAI_API_KEY: "12345" })).toEqual([]);
});

test("a broken file hides nothing of the others", async () => {
  using folder = projectFolder();
  folder.write("crush.json", "{");
  folder.write(".crush.json", { providers: { x: { api_key: "sk-long-$(" } } });
  expect(await secretsOf(folder, { ANTHROPIC_API_KEY: "value-1" })).toEqual([
    "sk-long-$(",
    "value-1",
  ]);
});
