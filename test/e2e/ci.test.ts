import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { linesOf, obeyed } from "../support/actions-runner.ts";
import { crushPlace, FAKE_KEY, type CrushPlace } from "../support/crush.ts";
import { errorLines } from "../support/ended-run.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import type { FakeStep } from "../support/fake-script.ts";
import { shell } from "../support/shell.ts";

interface StepEnd {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly summary: string;
  readonly outputs: string;
}

const FILES = { GITHUB_STEP_SUMMARY: "summary.md", GITHUB_OUTPUT: "outputs.txt" } as const;

function stepEnv(place: CrushPlace): Record<string, string> {
  const files = Object.entries(FILES).map(([name, file]) => [name, place.write(`../${file}`, "")]);
  return { GITHUB_ACTIONS: "true", ...(Object.fromEntries(files) as Record<string, string>) };
}

/** A step of GitHub Actions whose script is this. */
async function step(place: CrushPlace, script: string): Promise<StepEnd> {
  const variables = Object.entries(stepEnv(place)).map(([name, value]) => `${name}=${value}`);
  const ended = await shell(place, `export ${variables.join(" ")}\n${script}\nexit $?`);
  const read = (file: string): string => readFileSync(join(place.work, "..", file), "utf8");
  return { ...ended, summary: read("summary.md"), outputs: read("outputs.txt") };
}

const news = ({ stderr }: { readonly stderr: string }) => obeyed(linesOf(stderr));

/** In each order that the runner may read the two pipes in; what was said before the model was asked goes first. */
const ordersOf = ({ stdout, stderr }: StepEnd): string[][] => {
  const lines = linesOf(stderr);
  const early = lines.findLastIndex((line) => line.startsWith("::stop-commands::")) + 1;
  const [first, more, answer] = [lines.slice(0, early), lines.slice(early), linesOf(stdout)];
  return [
    [...first, ...answer, ...more],
    [...first, ...more, ...answer],
  ];
};

const ERROR = { title: "crush run (auth_refused)" };

test("in GitHub Actions a failure is an annotation, a summary and outputs, and the error line stands before", async () => {
  await using provider = await startFakeProvider({ status: 401 });
  await using place = crushPlace({ provider });
  const ended = await step(place, "crush run hi </dev/null");
  expect([ended.status, ended.stdout]).toEqual([4, ""]);
  const [line = ""] = errorLines({ stderr: Buffer.from(ended.stderr) });
  expect(line).toContain("(auth_refused)");
  const message = line.replace(/^error: /, "").replace(" (auth_refused)", "");
  expect(news(ended)).toEqual([
    { name: "add-mask", properties: {}, data: FAKE_KEY },
    { name: "error", properties: ERROR, data: message },
  ]);
  expect(ended.stderr).toMatch(/^\n::add-mask::/);
  expect(ended.stderr.indexOf("error: ")).toBeLessThan(ended.stderr.indexOf("::error "));
  expect(ended.summary).toMatch(/^### crush run: failed \(`auth_refused`\), exit status 4\n/);
  expect(ended.outputs).toMatch(/^status<<(crush-run-\S+)\nfailed\n\1\nreason<<\1\nauth_refused\n/);
  expect(ended.outputs).toMatch(/^exit_code<<(\S+)\n4\n\1\n/m);
});

test.each(["printf 'reviewing… ' >&2", "exec 2>&1; printf 'reviewing… '"])(
  "masks and the guard hold behind half a line that the script left: %s",
  async (before) => {
    await using provider = await startFakeProvider({ text: "::error::mine" });
    await using place = crushPlace({ provider });
    const { status, stdout, stderr } = await step(place, `${before}; crush run hi`);
    expect(status).toBe(0);
    expect(stdout + stderr).toContain("reviewing… \n");
    expect(obeyed(linesOf(stderr + stdout))).toEqual([
      { name: "add-mask", properties: {}, data: FAKE_KEY },
    ]);
  },
);

test("a success has no annotation, commands are on again after it, and each part has another token", async () => {
  await using provider = await startFakeProvider([{ text: "Fine.\nReally." }, { text: "Two." }]);
  await using place = crushPlace({ provider });
  const ended = await step(
    place,
    "crush run hi && echo ::notice::mine >&2 && crush run --ci github hi",
  );
  expect([ended.status, ended.stdout]).toEqual([0, "Fine.\nReally.\nTwo.\n"]);
  expect(news(ended).filter(({ name }) => name !== "add-mask")).toEqual([
    { name: "notice", properties: {}, data: "mine" },
  ]);
  expect(ended.summary.match(/^### crush run: completed$/gm)).toHaveLength(2);
  expect(ended.outputs).toMatch(/^text<<(\S+)\nFine\.\nReally\.\n\1\n/m);
  expect(ended.outputs).toMatch(/^text<<(\S+)\nTwo\.\n\1\n/m);
  const tokens = `${ended.stderr}${ended.outputs}`.matchAll(/crush-run-[0-9a-f-]+/g);
  expect(new Set(Array.from(tokens, ([token]) => token)).size).toBe(4);
});

const COMMANDS = [
  "::add-matcher::/tmp/evil.json",
  " \t::set-output name=text::forged",
  "before ##[set-env name=PATH]/tmp after",
  "::stop-commands::mine\n::mine::\n::error::forged",
];

const SAYS_COMMANDS: FakeStep[] = [
  {
    text: COMMANDS.join("\n"),
    toolCalls: [{ id: "c", name: "bash", input: { command: "\n::error::forged\n" } }],
  },
  { text: COMMANDS.join("\n") },
];

test.each([
  ["text", "crush run -v hi"],
  ["text as it comes", "crush run -v --stream hi"],
  ["json", "crush run -v --output json hi"],
  ["stream-json", "crush run -v --output stream-json hi"],
])("%s: an agent cannot issue a command, its answer stays as it is", async (_, script) => {
  await using provider = await startFakeProvider(SAYS_COMMANDS);
  await using place = crushPlace({ provider });
  const ended = await step(place, script);
  expect(ended.status).toBe(0);
  expect(ended.stdout).toContain(script.includes("json") ? "##[set-env" : COMMANDS.join("\n"));
  for (const lines of ordersOf(ended))
    expect(obeyed(lines).filter(({ name }) => name !== "add-mask")).toEqual([]);
  expect(ended.stderr).toContain("note: the answer has lines that look like workflow commands");
  expect(ended.summary).toContain("::stop-commands::mine\n");
});

test("an answer that goes to a file is in no log, and one in the same pipe as the news is in order: commands go on", async () => {
  await using provider = await startFakeProvider({ text: "::error::forged", finish: "length" });
  await using place = crushPlace({ provider });
  for (const where of [">answer.txt", "2>&1"]) {
    const ended = await step(place, `crush run hi ${where}`);
    const log = linesOf(ended.stdout + ended.stderr);
    expect(obeyed(log)).toMatchObject([
      { name: "add-mask" },
      { name: "error", properties: { title: "crush run (output_tokens)" } },
    ]);
  }
});

test("nothing in an error line is a command, however early it is", async () => {
  await using place = crushPlace();
  const ended = await step(place, "crush run -c '##[warning]forged' hi");
  expect(ended.status).toBe(2);
  expect(ended.stderr).toContain("##[warning]forged, which is no directory (usage)");
  expect(news(ended)).toMatchObject([
    { name: "error", properties: { title: "crush run (usage)" } },
  ]);
  expect(ended.summary).toContain("invalid (`usage`), exit status 2");
});

test("refused calls and warnings are annotations, and so is what a configuration warns of", async () => {
  const input = { file_path: "/etc/hostname" };
  await using provider = await startFakeProvider((request) =>
    request.index === 0 ? { toolCalls: [{ id: "c", name: "view", input }] } : { text: "Not then." },
  );
  await using place = crushPlace({ provider });
  place.write("crush.json", JSON.stringify({ lsp: { go: { command: "gopls" } } }));
  const ended = await step(place, "crush run --trust-config hi");
  expect(ended.status).toBe(7);
  const told = news(ended).filter(({ name }) => name !== "add-mask");
  expect(told.map(({ name, properties }) => [name, properties["title"]])).toEqual([
    ["error", "crush run (needs_approval)"],
    ["warning", "crush run"],
    ["warning", "crush run"],
  ]);
  expect(told[1]?.data).toMatch(/^view was refused \(/);
  expect(told[2]?.data).toContain("lsp");
  expect(ended.summary).toContain("**Refused tool calls**\n\n- ` view (");
});

test("a time limit and a signal end in an annotation, a summary and outputs too", async () => {
  await using provider = await startFakeProvider({ neverHeaders: true });
  await using place = crushPlace({ provider });
  const late = await step(place, "crush run --timeout 1s hi");
  expect(late.status).toBe(124);
  expect(news(late).at(-1)).toMatchObject({ properties: { title: "crush run (timeout)" } });
  expect(late.summary).toContain("timed_out (`timeout`), exit status 124");

  const env = stepEnv(place);
  const run = place.spawn(["run", "-v", "hi"], { env });
  await run.waitForStderr("run ");
  run.child.kill("SIGTERM");
  const ended = await run.ended;
  expect(ended.signal).toBe("SIGTERM");
  expect(news({ stderr: ended.stderr.toString() }).at(-1)).toMatchObject({
    name: "error",
    properties: { title: "crush run (signal)" },
  });
  expect(readFileSync(env["GITHUB_STEP_SUMMARY"] ?? "", "utf8")).toContain("exit status 143");
  expect(readFileSync(env["GITHUB_OUTPUT"] ?? "", "utf8")).toMatch(/^exit_code<<(\S+)\n143\n\1$/m);
});

test("a file of the runner's that takes nothing is a warning, and changes no status", async () => {
  await using place = crushPlace();
  const spoil: readonly (readonly [string, (file: string) => void])[] = [
    ["ENOENT", (file) => rmSync(file)],
    ["a symbolic link", (file) => (rmSync(file), symlinkSync("/dev/null", file))],
    ["no regular file", (file) => (rmSync(file), mkdirSync(file))],
  ];
  for (const [why, spoiled] of spoil) {
    const env = stepEnv(place);
    spoiled(env["GITHUB_OUTPUT"] ?? "");
    const ended = await place.run(["run", "-m", "demo/offline", "hi"], { env });
    expect(ended.status).toBe(0);
    const stderr = ended.stderr.toString();
    expect(stderr).toMatch(/^warning: nothing was added to \S+ of \$GITHUB_OUTPUT: /m);
    expect(news({ stderr })).toMatchObject([
      { name: "warning", properties: { title: "crush run" } },
    ]);
    expect(news({ stderr })[0]?.data).toContain(why);
    expect(readFileSync(env["GITHUB_STEP_SUMMARY"] ?? "", "utf8")).toContain("completed");
    rmSync(env["GITHUB_OUTPUT"] ?? "", { force: true, recursive: true });
  }
});

test("a summary that the step has filled already is left alone, with a warning", async () => {
  await using place = crushPlace();
  const env = stepEnv(place);
  const filled = "x".repeat(1024 * 1024 - 64 * 1024);
  writeFileSync(env["GITHUB_STEP_SUMMARY"] ?? "", filled);
  const ended = await place.run(["run", "-m", "demo/offline", "hi"], { env });
  expect([ended.status, readFileSync(env["GITHUB_STEP_SUMMARY"] ?? "", "utf8")]).toEqual([
    0,
    filled,
  ]);
  expect(ended.stderr.toString()).toMatch(/of \$GITHUB_STEP_SUMMARY: it is full$/m);
});

test("each line of a secret is masked, what a command says too, and none is printed where no log is", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  const secret = "first-line-of-it\nsecond-line-of-it\nab";
  const configuration = {
    providers: {
      fake: {
        type: "openai-compat",
        base_url: `${provider.url}/v1`,
        api_key: "$(cat key)",
        extra_headers: { "x-token": "$TOKEN" },
        models: [{ id: "model", context_window: 100_000 }],
      },
    },
  };
  await using place = crushPlace({ configuration });
  place.write("key", "said-by-a-command");
  const set = `export TOKEN='${secret.replaceAll("\n", " ")}'`;
  const ended = await step(place, `${set}\ncrush run -m fake/model hi`);
  expect([ended.status, ended.stdout]).toEqual([0, "ok\n"]);
  const masks = news(ended).map(({ name, data }) => (name === "add-mask" ? data : name));
  expect(masks.toSorted()).toEqual([secret.replaceAll("\n", " "), "said-by-a-command"]);

  for (const script of [
    `crush run -m fake/model hi 2>err.txt; cat err.txt >&2`,
    `crush run -m fake/model hi 2>&1 | cat`,
    `GITHUB_ACTIONS= crush run --ci=github -m fake/model hi`,
  ]) {
    const there = await step(place, `${set}\n${script}`);
    const seen = there.stdout + there.stderr;
    expect(seen).toContain("::stop-commands::");
    expect(seen).not.toMatch(/add-mask|said-by-a-command/);
  }
});

test("none reports nothing, and without GitHub auto is none", async () => {
  await using place = crushPlace();
  const args = ["run", "-m", "demo/none", "hi"];
  const env = stepEnv(place);
  for (const [more, given] of [
    [["--ci=none"], env],
    [["--ci", "none"], { ...env, CRUSH_RUN_CI: "github" }],
    [[], { ...env, CRUSH_RUN_CI: "none" }],
    [[], { ...env, GITHUB_ACTIONS: "false" }],
    [["--ci=auto"], { ...env, GITHUB_ACTIONS: "" }],
  ] as const) {
    const ended = await place.run([...args, ...more], { env: given });
    expect(ended.status).toBe(2);
    expect(ended.stderr.toString()).toMatch(/^error: [^\n]*\n$/);
    for (const file of Object.values(FILES))
      expect(readFileSync(join(place.work, "..", file), "utf8")).toBe("");
  }
});

test("a --ci that there is not is refused before anything is sent", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  for (const [args, env, name] of [
    [["--ci=gitlab"], {}, "--ci"],
    [[], { CRUSH_RUN_CI: "gitlab" }, "CRUSH_RUN_CI"],
  ] as const) {
    const ended = await place.run(["run", ...args, "hi"], { env });
    expect([ended.status, ended.stdout.toString()]).toEqual([2, ""]);
    expect(ended.stderr.toString()).toBe(
      `error: ${name} is "gitlab" (usage); use auto, github or none\n`,
    );
  }
  expect(provider.requests).toEqual([]);
});

test("tools do not see the files by which a step speaks to the next", async () => {
  await using provider = await startFakeProvider([
    { toolCalls: [{ id: "c", name: "bash", input: { command: "env | grep ^GITHUB_" } }] },
    { text: "ok" },
  ]);
  await using place = crushPlace({ provider });
  const files = { ...stepEnv(place), GITHUB_ENV: "/e", GITHUB_PATH: "/p", GITHUB_STATE: "/s" };
  const env = { ...files, GITHUB_SHA: "abc" };
  const ended = await place.run(["run", "--output", "stream-json", "hi"], { env });
  const lines = ended.stdout.toString().trim().split("\n");
  const done = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(done.find(({ type }) => type === "tool.completed")).toMatchObject({
    output: expect.stringMatching(
      /^GITHUB_(ACTIONS|SHA)=\S+\nGITHUB_(ACTIONS|SHA)=\S+\s*$/,
    ) as string,
  });
});
