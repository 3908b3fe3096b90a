import { describe, expect, test } from "vitest";
import type { Command } from "../../src/cli/command.ts";
import { COMMANDS, groupOf } from "../../src/cli/commands.ts";
import { exitRows } from "../../src/cli/exit-table.ts";
import { COMMON_FLAGS, SELF_FLAGS, type Flag } from "../../src/cli/flags.ts";
import { helpText } from "../../src/cli/help.ts";
import { RUN_FLAG_GROUPS, RUN_FLAGS, USUAL_RUN_FLAGS } from "../../src/cli/run-flags.ts";
import { ENDINGS } from "../../src/protocol/ending.ts";
import { RunFailed } from "../../src/protocol/ending.ts";

const WIDTH = 100;

/** Of a text: how many lines, and the longest. */
function size(text: string): { readonly lines: number; readonly columns: number } {
  const lines = text.trimEnd().split("\n");
  return { lines: lines.length, columns: Math.max(...lines.map((line) => line.length)) };
}

const words = (command: Command): readonly string[] => command.name.split(" ");
const heads = [...new Set(COMMANDS.map((command) => words(command)[0] ?? ""))];
const hasFlag = (text: string, name: string): boolean =>
  new RegExp(`--(\\[no-\\])?${name}(?![\\w-])`).test(text);

describe("the short help", () => {
  test("of the program fits a screen and lists every command or its group", async () => {
    const text = await helpText([], "help");
    expect(size(text).lines).toBeLessThanOrEqual(40);
    expect(size(text).columns).toBeLessThanOrEqual(WIDTH);
    for (const head of heads) expect(text).toMatch(new RegExp(`^  crush ${head}\\b`, "m"));
    for (const { name } of COMMANDS) expect(text).toContain(name.split(" ").at(-1));
  });

  test("of run fits a screen, with the usual flags, three examples and every exit status", async () => {
    const text = await helpText(["run"], "help");
    expect(size(text).lines).toBeLessThanOrEqual(48);
    expect(size(text).columns).toBeLessThanOrEqual(WIDTH);
    for (const name of USUAL_RUN_FLAGS) expect([name, hasFlag(text, name)]).toEqual([name, true]);
    expect(text.split("Examples:")[1]?.match(/crush run/g)?.length).toBe(3);
    expect(text).toContain("--help-all");
    for (const { exit } of exitRows())
      expect(text).toMatch(new RegExp(`^  ${exit.replace("+", "\\+")} +[a-z]`, "m"));
  });

  test.each(COMMANDS.filter(({ name }) => name !== "run").map((one) => [one.name, one] as const))(
    "of %s fits half a screen, with its flags and an example",
    async (name, command) => {
      const text = await helpText(words(command), "help");
      expect(size(text).lines).toBeLessThanOrEqual(30);
      expect(size(text).columns).toBeLessThanOrEqual(WIDTH);
      expect(text).toContain(`crush ${name}`);
      expect(text).toContain(`${command.summary}.`);
      for (const flag of Object.keys(command.flags))
        expect([flag, hasFlag(text, flag)]).toEqual([flag, true]);
      expect(text.split("Examples:")[1]).toMatch(/^ {2}.*crush /m);
    },
  );

  test.each(heads.filter((head) => groupOf(head).length > 0))(
    "of the group %s lists its commands",
    async (head) => {
      const text = await helpText([head], "help");
      expect(size(text).lines).toBeLessThanOrEqual(30);
      expect(size(text).columns).toBeLessThanOrEqual(WIDTH);
      for (const { name, summary } of groupOf(head)) {
        expect(text).toContain(`crush ${name}`);
        expect(text.replace(/\s+/g, " ")).toContain(summary);
      }
    },
  );

  test("words behind the command do not matter", async () => {
    expect(await helpText(["run", "a", "prompt"], "help")).toBe(await helpText(["run"], "help"));
  });

  test.each([["nonsense"], ["config", "nonsense"]])(
    "of %s is refused: there is no such thing",
    async (...asked) => {
      await expect(helpText(asked, "help")).rejects.toBeInstanceOf(RunFailed);
    },
  );
});

describe("the whole help", () => {
  test("of run has every flag in its group, and every variable", async () => {
    const text = await helpText(["run"], "help-all");
    expect(size(text).columns).toBeLessThanOrEqual(WIDTH);
    const flags = { ...RUN_FLAGS, ...COMMON_FLAGS, ...SELF_FLAGS };
    for (const [name, { twin }] of Object.entries<Flag>(flags)) {
      expect([name, hasFlag(text, name)]).toEqual([name, true]);
      expect(text).toContain(twin === undefined ? name : `[${twin}]`);
    }
    for (const title of Object.keys(RUN_FLAG_GROUPS)) expect(text).toContain(`\n${title}:\n`);
  });

  test("every flag of run is in exactly one group", () => {
    const grouped = Object.values(RUN_FLAG_GROUPS).flatMap((group) => Object.keys(group));
    expect([...grouped].sort()).toEqual(Object.keys(RUN_FLAGS).sort());
  });
});

test("the exit table has every reason with its status and remedy, whatever command is asked", async () => {
  const text = await helpText(["run"], "help-exit");
  expect(size(text).columns).toBeLessThanOrEqual(WIDTH);
  const lines = text.split("\n");
  for (const { reason, status, retryable, remedy } of exitRows()) {
    const at = lines.findIndex((line) => new RegExp(`(^|\\s)${reason}\\s+${status}\\b`).test(line));
    expect([reason, at >= 0]).toEqual([reason, true]);
    expect(lines[at]?.includes("may be tried again")).toBe(retryable);
    expect(lines[at + 1]?.trim()).toBe(remedy ?? lines[at + 1]?.trim());
  }
  expect(
    exitRows()
      .map(({ reason }) => reason)
      .sort(),
  ).toEqual(Object.keys(ENDINGS).sort());
  expect(await helpText([], "help-exit")).toBe(text);
});
