import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMANDS, groupOf } from "../../src/cli/commands.ts";
import { crushPlace } from "../support/crush.ts";

const run = promisify(execFile);
const place = crushPlace();
let script = "";

beforeAll(async () => {
  const { stdout } = await place.run(["completion", "bash"]);
  script = join(place.work, "crush.bash");
  writeFileSync(script, stdout);
  mkdirSync(join(place.work, "some dir"));
  writeFileSync(join(place.work, "some file"), "");
});
afterAll(async () => await place[Symbol.asyncDispose]());

/** What bash offers for the last of these words, as it cuts a line into words; without any other completion, or crush, at hand. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const at = words.length - 1;
  const quoted = words.map((word) => `'${word}'`).join(" ");
  const program = `set -u; source '${script}'; complete -p crush > /dev/null || exit 9
    COMP_WORDS=(${quoted}); COMP_CWORD=${at}; _crush crush '${words[at]}' '${words[at - 1]}'
    for one in "\${COMPREPLY[@]+"\${COMPREPLY[@]}"}"; do printf '%s\\n' "$one"; done`;
  const env = { PATH: "/nowhere" };
  const { stdout, stderr } = await run("/bin/bash", ["--norc", "-c", program], {
    cwd: place.work,
    env,
  });
  expect(stderr).toBe("");
  return stdout.split("\n").filter((line) => line !== "");
}

const heads = [...new Set(COMMANDS.map(({ name }) => name.split(" ")[0] ?? ""))];

describe("bash completes", () => {
  test("commands", async () => {
    expect(await offered("crush", "")).toEqual(heads);
    expect(await offered("crush", "conf")).toEqual(["config"]);
    expect(await offered("crush", "-c", "/tmp", "-q", "--output", "json", "run")).toEqual([
      "run",
      "runs",
    ]);
  });

  test.each(heads.filter((head) => groupOf(head).length > 0))(
    "the commands of %s",
    async (head) => {
      const tails = groupOf(head).map(({ name }) => name.split(" ")[1]);
      expect(await offered("crush", head, "")).toEqual(tails);
      expect(await offered("crush", head, "nonsense", "")).toEqual([]);
    },
  );

  test("flags of the command that is being typed, and no others", async () => {
    expect(await offered("crush", "run", "--mod")).toEqual(["--model"]);
    expect(await offered("crush", "r", "--no-st")).toEqual(["--no-stdin", "--no-stream"]);
    expect(await offered("crush", "models", "--mod")).toEqual([]);
    expect(await offered("crush", "config", "show", "--so")).toEqual(["--sources"]);
    expect(await offered("crush", "wait", "x", "--time")).toEqual(["--timeout"]);
    expect(await offered("crush", "--ver")).toEqual(["--version"]);
  });

  test("values, written after a space or after =", async () => {
    expect(await offered("crush", "run", "--output", "")).toEqual(["text", "json", "stream-json"]);
    expect(await offered("crush", "run", "--output", "s")).toEqual(["stream-json"]);
    expect(await offered("crush", "run", "--output", "=")).toEqual(["text", "json", "stream-json"]);
    expect(await offered("crush", "run", "--output", "=", "j")).toEqual(["json"]);
    expect(await offered("crush", "run", "--output=j")).toEqual(["--output=json"]);
    expect(await offered("crush", "run", "--model", "")).toEqual([]);
    expect(await offered("crush", "completion", "z")).toEqual(["zsh"]);
    expect(await offered("crush", "help", "comp")).toEqual(["completion"]);
  });

  test("directories, also with a space in their name", async () => {
    expect(await offered("crush", "run", "-c", "so")).toEqual(["some dir"]);
    expect(await offered("crush", "run", "--data-dir", "=", "some")).toEqual(["some dir"]);
  });

  test("nothing in a prompt or after --", async () => {
    expect(await offered("crush", "run", "wha")).toEqual([]);
    expect(await offered("crush", "run", "--", "--mod")).toEqual([]);
  });
});

test.each(["bash", "zsh", "fish"])("crush completion %s prints a script", async (shell) => {
  const { status, stdout, stderr } = await place.run(["completion", shell]);
  expect([status, stderr.toString()]).toEqual([0, ""]);
  expect(stdout.toString()).toContain(`Made by: crush completion ${shell}`);
});

test("a shell that is not known, or none, is refused with the names of those that are", async () => {
  for (const [words, said] of [
    [["csh"], 'crush completion knows no shell "csh"'],
    [[], "crush completion needs the name of a shell"],
  ] as const) {
    const { status, stdout, stderr } = await place.run(["completion", ...words]);
    expect([status, stdout.toString()]).toEqual([2, ""]);
    expect(stderr.toString()).toBe(`error: ${said} (usage); it is one of: bash, zsh, fish\n`);
  }
});
