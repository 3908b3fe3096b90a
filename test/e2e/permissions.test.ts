import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { attempt, bash, denial, view, write, type Document } from "../support/attempt.ts";
import { crushPlace, type CrushPlace } from "../support/crush.ts";
import { errorLines } from "../support/ended-run.ts";
import { startFakeProvider } from "../support/fake-provider.ts";

describe("--deny", () => {
  test("a call that a rule forbids is an answer to the model: the run completes, and its result tells", async () => {
    const { ended, result, told } = await attempt(
      ["--deny", "bash(touch *)"],
      [bash("echo a && touch made"), bash("touch other > /dev/null")],
    );
    expect([ended.status, result["reason"], result["text"]]).toEqual([0, "end_turn", "Done."]);
    expect(result["denials"]).toEqual([
      denial("denied", "bash(touch *)"),
      { ...denial("denied", "bash(touch *)"), call_id: "call_2" },
    ]);
    expect(told).toContain("the rule bash(touch *) forbids touch made");
    expect(ended.stderr.toString()).toContain("warning: bash was refused (bash(touch *))");
  });

  test("may be given several times, and wins over --allow and --yolo", async () => {
    for (const args of [
      ["--deny", "fetch", "--deny", "bash(touch *)", "--allow", "bash"],
      ["--yolo", "--deny", "fetch", "--deny", "bash(touch *)"],
    ]) {
      const { ended, result } = await attempt(args, [bash("touch made")]);
      expect(ended.status).toBe(0);
      expect(result["denials"]).toEqual([denial("denied", "bash(touch *)")]);
    }
  });

  test("what it names is left out of what ls, glob and grep find", async () => {
    const { told } = await attempt(
      ["--deny", "view(secret/**)", "--deny", "ls(secret/**)", "--deny", "glob(secret/**)"],
      [
        { name: "ls", input: {} },
        { name: "glob", input: { pattern: "**/*.txt" } },
        { name: "grep", input: { pattern: "password" } },
      ],
      (place) => {
        place.write("secret/hidden.txt", "password one\n");
        place.write("shown.txt", "password two\n");
      },
    );
    expect(told).toContain("shown.txt");
    expect(told).toContain("password two");
    expect(told).not.toContain("hidden");
    expect(told).not.toContain("password one");
  });
});

describe("--allow", () => {
  test("a rule with a pattern narrows its tool: any other call blocks the run at its end", async () => {
    const { ended, result, told } = await attempt(["--allow", "bash(echo *)"], [bash("ls -la")]);
    expect([ended.status, result["status"], result["reason"]]).toEqual([
      7,
      "blocked",
      "needs_approval",
    ]);
    expect([result["text"], result["partial"]]).toEqual(["Done.", false]);
    expect(result["denials"]).toEqual([denial("unapproved", "not_in_allow_rules")]);
    expect(told).toContain("ls -la is none of the commands that are allowed (bash(echo *))");
    expect(errorLines(ended)).toEqual([
      expect.stringContaining("--allow 'bash(ls -la)'") as string,
    ]);
  });

  test("lets file tools reach a path outside, judged by where links lead", async () => {
    const outside = (place: CrushPlace): string => {
      const path = join(place.work, "..", "outside");
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, "a.txt"), "from outside\n");
      return realpathSync(path);
    };
    await using place = crushPlace();
    const away = outside(place);
    await using provider = await startFakeProvider(({ index }) =>
      index === 0
        ? {
            toolCalls: [
              { id: "call_1", ...view(join(away, "a.txt")) },
              { id: "call_2", ...view("link/a.txt") },
              { id: "call_3", name: "ls", input: { path: away } },
              { id: "call_4", name: "glob", input: { pattern: "*", path: away } },
              { id: "call_5", name: "grep", input: { pattern: "outside", path: away } },
              {
                id: "call_6",
                name: "edit",
                input: { file_path: join(away, "a.txt"), old_string: "from", new_string: "out" },
              },
              { id: "call_7", ...write(join(away, "new/b.txt")) },
            ],
          }
        : { text: "Done." },
    );
    symlinkSync(away, join(place.work, "link"));
    const configuration = {
      fake: {
        type: "openai-compat",
        base_url: `${provider.url}/v1`,
        api_key: "k",
        models: [{ id: "model" }],
      },
    };
    writeFileSync(
      place.configFile,
      JSON.stringify({
        providers: configuration,
        models: { large: { provider: "fake", model: "model" } },
      }),
    );
    const rules = ["view", "ls", "glob", "write"].flatMap((tool) => [
      "--allow",
      `${tool}(${away}/**)`,
    ]);
    const ended = await place.run(["run", "--output", "json", ...rules, "hi"]);
    const result = JSON.parse(ended.stdout.toString()) as Document;
    expect([ended.status, result["denials"]]).toEqual([0, []]);
    expect(readFileSync(join(away, "a.txt"), "utf8")).toBe("out outside\n");
    expect(readFileSync(join(away, "new/b.txt"), "utf8")).toBe("new\n");
    const told = JSON.stringify(provider.requests.at(-1)?.body);
    expect(told).toContain(`${away}/a.txt:1: from outside`);
    expect(told).toContain(`created ${away}/new/b.txt`);
  });
});

test("a path outside that no rule allows blocks the run, unless --allow-blocked", async () => {
  const blocked = await attempt([], [view("/etc/hosts")]);
  expect([blocked.ended.status, blocked.result["reason"]]).toEqual([7, "needs_approval"]);
  expect(blocked.result["denials"]).toEqual([
    denial("unapproved", "outside_working_directory", "view"),
  ]);
  const allowed = await attempt(["--allow-blocked"], [view("/etc/hosts")]);
  expect([allowed.ended.status, allowed.result["reason"]]).toEqual([0, "end_turn"]);
  expect(allowed.result["denials"]).toEqual(blocked.result["denials"]);
});

describe("--on-ask", () => {
  test("allow: what would be asked is done", async () => {
    const { ended, result, told } = await attempt(["--on-ask", "allow"], [view("/etc/hosts")]);
    expect([ended.status, result["denials"]]).toEqual([0, []]);
    expect(told).toContain("localhost");
  });

  test("abort: the run ends at once, without another model call", async () => {
    const { ended, result, requests } = await attempt(
      ["--on-ask=abort"],
      [view("/etc/hosts"), bash("touch made")],
    );
    expect([ended.status, result["reason"], requests]).toEqual([7, "needs_approval", 1]);
    expect([result["text"], result["partial"]]).toEqual(["I try.", true]);
    expect(result["denials"]).toEqual([denial("unapproved", "outside_working_directory", "view")]);
    expect(errorLines(ended)).toHaveLength(1);
  });

  test("abort: a call that a rule forbids ends nothing", async () => {
    const { ended } = await attempt(["--on-ask=abort", "--deny", "bash"], [bash("true")]);
    expect(ended.status).toBe(0);
  });
});

test("--yolo allows what nobody forbids, outside paths too", async () => {
  const { ended, result, told } = await attempt(["-y"], [view("/etc/hosts"), bash("eval echo hi")]);
  expect([ended.status, result["denials"]]).toEqual([0, []]);
  expect(told).toContain("localhost");
});

test("--read-only lets nothing change: writing tools, commands and redirections are denied", async () => {
  let work = "";
  const { ended, result, told } = await attempt(
    ["--read-only"],
    [write("a"), bash("touch b"), bash("echo x > c"), bash("cat shown | wc -l"), view("shown")],
    (place) => {
      work = place.work;
      place.write("shown", "one\n");
    },
  );
  expect(ended.status).toBe(0);
  expect(
    (result["denials"] as Document[]).map(({ call_id, kind, rule }) => [call_id, kind, rule]),
  ).toEqual([
    ["call_1", "denied", "--read-only"],
    ["call_2", "denied", "--read-only"],
    ["call_3", "denied", "--read-only"],
  ]);
  expect(told).toContain("touch b is not known only to read");
  for (const name of ["a", "b", "c"]) expect(existsSync(join(work, name))).toBe(false);
});

test("the twins in the environment say the same, and tools never see them", async () => {
  const { ended, result, told } = await attempt(
    [],
    [bash("env | grep CRUSH_RUN_ | cut -d= -f1"), bash("touch a")],
    () => ({
      env: { CRUSH_RUN_DENY: "bash(touch *)\nfetch", CRUSH_RUN_ON_ASK: "abort" },
    }),
  );
  expect([ended.status, result["denials"]]).toEqual([
    0,
    [{ ...denial("denied", "bash(touch *)"), call_id: "call_2" }],
  ]);
  expect(told).toContain("CRUSH_RUN_ID");
  expect(told).not.toContain("CRUSH_RUN_DENY");
  expect(told).not.toContain("CRUSH_RUN_ON_ASK");
});
