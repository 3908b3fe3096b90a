import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { crushPlace, type CrushPlace } from "../support/crush.ts";

const told = async (place: CrushPlace, ...args: readonly string[]) => {
  const { status, stdout, stderr } = await place.run(args, { withinMs: 10_000 });
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
};

test("crush help COMMAND is crush COMMAND --help", async () => {
  await using place = crushPlace();
  for (const words of [["run"], ["config"], ["config", "check"], ["show"]]) {
    const help = await told(place, "help", ...words);
    expect([help.status, help.stderr]).toEqual([0, ""]);
    expect(help.stdout).toContain(`crush ${words.join(" ")}`);
    expect(await told(place, ...words, "--help")).toEqual(help);
    expect(await told(place, "-h", ...words)).toEqual(help);
  }
});

test("crush help and crush --help are the same, and end with a newline", async () => {
  await using place = crushPlace();
  const help = await told(place, "--help");
  expect(help.stdout.endsWith("\n")).toBe(true);
  expect(await told(place, "help")).toEqual(help);
});

test("crush run --help-all and --help-exit print more, and run nothing", async () => {
  await using place = crushPlace({ configuration: "{ broken" });
  const all = await told(place, "run", "--help-all", "a prompt");
  expect([all.status, all.stderr]).toEqual([0, ""]);
  expect(all.stdout).toContain("[CRUSH_RUN_MODEL]");
  const exits = await told(place, "run", "--help-exit");
  expect([exits.status, exits.stderr]).toEqual([0, ""]);
  expect(exits.stdout).toContain("provider_unavailable");
  expect(readdirSync(place.work)).toEqual([]);
});

test("help does not depend on the language or the terminal", async () => {
  await using place = crushPlace();
  const env = { LANG: "de_DE.UTF-8", LC_ALL: "fr_FR.UTF-8", COLUMNS: "40", TERM: "dumb" };
  const { stdout } = await place.run(["run", "--help"], { env });
  expect(stdout.toString()).toBe((await told(place, "run", "--help")).stdout);
});

test("help on something that is not there is refused", async () => {
  await using place = crushPlace();
  expect(await told(place, "help", "nonsense")).toEqual({
    status: 2,
    stdout: "",
    stderr:
      'error: unknown command "nonsense" (usage); see: crush --help; or did you mean: crush run "…"\n',
  });
  const { status, stderr } = await told(place, "config", "nonsense", "--help");
  expect([status, stderr]).toEqual([2, expect.stringContaining("it is one of: path, show")]);
});
