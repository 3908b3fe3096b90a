import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { JsonObject } from "../../../src/shared/json.ts";
import { isAbout, parseRule } from "../../../src/protocol/permission-rule.ts";
import { bashTool } from "../../../src/tools/bash.ts";
import { fetchTool } from "../../../src/tools/fetch.ts";
import { globTool } from "../../../src/tools/glob.ts";
import { grepTool } from "../../../src/tools/grep.ts";
import { lsTool } from "../../../src/tools/ls.ts";
import { builtinTools } from "../../../src/tools/registry.ts";
import { callWith, tempDirectory } from "../../support/tool-context.ts";
import { settingsOf } from "../../support/verdicts.ts";

const INPUTS: Readonly<Record<string, JsonObject>> = {
  view: { file_path: "a" },
  ls: {},
  glob: { pattern: "*" },
  grep: { pattern: "a" },
  edit: { file_path: "new", old_string: "", new_string: "x" },
  write: { file_path: "new", content: "x" },
  bash: { command: "touch new" },
  fetch: { url: "http://127.0.0.1:1/" },
};

test.each(builtinTools({ disabled: new Set() }))(
  "$name asks for leave before it does anything, and rules know it",
  async (tool) => {
    using temp = tempDirectory();
    writeFileSync(join(temp.path, "a"), "a");
    const result = await callWith(
      tool,
      temp.path,
      INPUTS[tool.name] ?? {},
      settingsOf({ deny: ["*"] }),
    );
    expect(result).toMatchObject({ isError: true, denied: { kind: "denied", rule: "*" } });
    expect(existsSync(join(temp.path, "new"))).toBe(false);
    const rule = parseRule(tool.name);
    expect("problem" in rule ? rule : isAbout(rule, tool.name)).toBe(true);
  },
);

test("what a deny rule names is not in what a search finds, and the rest is", async () => {
  using temp = tempDirectory();
  mkdirSync(join(temp.path, "keys"));
  writeFileSync(join(temp.path, "keys/one"), "found");
  writeFileSync(join(temp.path, "two"), "found");
  const settings = settingsOf({ deny: ["view(keys/**)", "ls(keys/**)", "glob(**/one)"] });
  const grep = await callWith(grepTool, temp.path, { pattern: "found" }, settings);
  expect(grep.content).toBe("two:1: found");
  const ls = await callWith(lsTool, temp.path, {}, settings);
  expect(ls.content).toBe("./\n  two");
  const glob = await callWith(globTool, temp.path, { pattern: "**" }, settings);
  expect(glob.content).toBe("two");
});

async function listening(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" && address !== null ? String(address.port) : "";
}

test("a redirection through a link and back is judged by where the kernel takes it", async () => {
  using temp = tempDirectory();
  mkdirSync(join(temp.path, "work"));
  mkdirSync(join(temp.path, "other/deep"), { recursive: true });
  symlinkSync("../other/deep", join(temp.path, "work/link"));
  const settings = settingsOf({ allow: ["bash(echo *)"] });
  const command = "echo x > link/../out";
  const result = await callWith(bashTool, join(temp.path, "work"), { command }, settings);
  expect(result).toMatchObject({
    denied: { kind: "unapproved", rule: "outside_working_directory" },
  });
  expect(existsSync(join(temp.path, "other/out"))).toBe(false);
});

test("a redirect is judged like the address that was asked for, before it is followed", async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const location = request.url === "/a" ? "/b" : "/secret";
    response.writeHead(302, { location }).end();
  });
  const port = await listening(server);
  try {
    const url = `http://127.0.0.1:${port}/a`;
    const deny = settingsOf({ deny: ["fetch(127.0.0.1/secret*)"] });
    const denied = await callWith(fetchTool, "/", { url }, deny);
    expect(denied).toMatchObject({ isError: true, denied: { kind: "denied" } });
    expect(denied.content).toContain("/secret");
    const allow = settingsOf({ allow: [`fetch(http://127.0.0.1:${port}/a)`] });
    const unapproved = await callWith(fetchTool, "/", { url }, allow);
    expect(unapproved).toMatchObject({ denied: { kind: "unapproved" } });
    expect(asked).toEqual(["/a", "/b", "/a"]);
  } finally {
    server.close();
  }
});
