import { closeSync, openSync } from "node:fs";
import { expect, test } from "vitest";
import type { JsonObject } from "../../src/shared/json.ts";
import { eventSchema, resultSchema } from "../../src/run/output-schema.ts";
import { crushPlace, type CrushPlace, type Ended } from "../support/crush.ts";
import { errorLines } from "../support/ended-run.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import type { FakeStep } from "../support/fake-script.ts";
import { wrongInLine, wrongInResult } from "../support/output-schemas.ts";
import { shell } from "../support/shell.ts";

const FORMATS = ["json", "stream-json"] as const;
type Format = (typeof FORMATS)[number];
type Document = JsonObject;

/** All of standard output, which must be documents, one a line. */
function documents({ stdout }: { readonly stdout: Buffer | string }): Document[] {
  const text = stdout.toString();
  expect(text.endsWith("\n")).toBe(true);
  return text
    .slice(0, -1)
    .split("\n")
    .map((line) => JSON.parse(line) as Document);
}

const MOMENT: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

/** The result, after a look at everything around it. */
function resultOf(format: Format, ended: { readonly stdout: Buffer | string }): Document {
  const all = documents(ended);
  const isStream = format === "stream-json";
  const result = all.at(-1) ?? {};
  for (const one of all) expect(isStream ? wrongInLine(one) : wrongInResult(one)).toEqual([]);
  const { run_id, session_id } = result;
  expect(all.length === 1 || isStream).toBe(true);
  expect(all.map(({ type }) => type === "run.result")).toEqual(all.map((one) => one === result));
  expect(all[0]?.["type"] === "run.started").toBe(isStream && run_id !== null);
  const stamps = (at: number): object => (isStream ? { seq: at + 1, ts: MOMENT } : {});
  expect(all).toMatchObject(
    all.map((_, at) => ({ schema_version: 1, run_id, session_id, ...stamps(at) })),
  );
  return result;
}

async function runIn(
  place: CrushPlace,
  format: Format,
  args: readonly string[],
): Promise<readonly [Ended, Document]> {
  const ended = await place.run(["run", "--output", format, ...args]);
  return [ended, resultOf(format, ended)];
}

const LOOKS: FakeStep[] = [
  { text: "I shall look.", toolCalls: [{ id: "call_1", name: "ls", input: {} }] },
  { text: "There is\nnothing." },
];

test.each(FORMATS)("%s: a run that completed, with a tool call", async (format) => {
  await using provider = await startFakeProvider(LOOKS);
  await using place = crushPlace({ provider });
  const [ended, result] = await runIn(place, format, ["hi"]);
  expect([ended.status, ended.stderr.toString()]).toEqual([0, ""]);
  expect(result).toMatchObject({
    status: "completed",
    exit_code: 0,
    reason: "end_turn",
    partial: false,
    text: "There is\nnothing.",
    error: null,
    cwd: place.work,
    models: ["fake/model"],
    usage: { by_model: { "fake/model": { input_tokens: 22, output_tokens: 14 } } },
    turns: 2,
    tool_calls: 1,
    config_sources: [place.configFile],
  });
  const { first_request, first_token, end } = result["timings_ms"] as Record<string, number>;
  expect([0, first_request, first_token, end].toSorted((a = 0, b = 0) => a - b)).toEqual([
    0,
    first_request,
    first_token,
    end,
  ]);
});

test("stream-json: every step of a run is told as it goes", async () => {
  await using provider = await startFakeProvider(LOOKS);
  await using place = crushPlace({ provider });
  const [ended] = await runIn(place, "stream-json", ["hi"]);
  const all = documents(ended);
  expect(all[0]).toMatchObject({
    model: "fake/model",
    prompt: "hi",
    cwd: place.work,
    config_sources: [place.configFile],
  });
  const types = all.map(({ type }) => type).filter((type) => type !== "text.delta");
  expect(types).toEqual([
    "run.started",
    "step.started",
    "message.completed",
    "step.completed",
    "tool.started",
    "tool.completed",
    "step.started",
    "message.completed",
    "step.completed",
    "run.result",
  ]);
  const deltas = all.flatMap(({ type, text }) =>
    type === "text.delta" && typeof text === "string" ? [text] : [],
  );
  expect(deltas.join("")).toBe("I shall look.There is\nnothing.");
});

const DENIED = { denials: [{ call_id: "call_1", name: "view" }] };
const OUTSIDE: FakeStep = {
  text: "Let me see.",
  toolCalls: [{ id: "call_1", name: "view", input: { file_path: "/etc/hostname" } }],
};

test.each(
  FORMATS.flatMap(
    (format) =>
      [
        [
          format,
          "a provider that refuses",
          { status: 401 },
          [],
          4,
          "auth_refused",
          { error: { http_status: 401 } },
        ],
        [
          format,
          "a time limit",
          { neverHeaders: true },
          ["--timeout", "1s"],
          124,
          "timeout",
          { turns: 0 },
        ],
        [format, "a call that nobody could allow", OUTSIDE, [], 7, "needs_approval", DENIED],
        [
          format,
          "a model that there is not",
          {},
          ["-m", "fake/none"],
          2,
          "unknown_model",
          { models: [] },
        ],
      ] as const,
  ),
)(
  "%s: %s ends in a result that tells the status",
  async (format, _, step, args, status, reason, more) => {
    await using provider = await startFakeProvider((request) =>
      request.index === 0 ? step : { text: "Then not." },
    );
    await using place = crushPlace({ provider });
    const [ended, result] = await runIn(place, format, [...args, "hi"]);
    expect(ended.status).toBe(status);
    expect(errorLines(ended)).toEqual([expect.stringContaining(`(${reason})`) as string]);
    expect(result).toMatchObject({ exit_code: status, reason, error: { code: reason } });
    expect(result).toMatchObject(more);
  },
);

test.each(
  FORMATS.flatMap(
    (format) =>
      [
        [format, ["--timeout", "x", "hi"], "usage"],
        [format, ["--nope", "hi"], "usage"],
        [format, ["hi", "-m"], "usage"],
        [format, ["--quiet=perhaps", "hi"], "usage"],
        [format, ["-s", "nobody", "hi"], "unknown_session"],
        [format, [], "no_prompt"],
      ] as const,
  ),
)("%s: %j never comes to be a run, and says so in a result", async (format, args, reason) => {
  await using place = crushPlace();
  const [ended, result] = await runIn(place, format, args);
  expect(ended.status).toBe(2);
  expect(errorLines(ended)).toHaveLength(1);
  expect(result).toMatchObject({ status: "invalid", exit_code: 2, reason, run_id: null });
});

test("an --output that is not understood, or said twice, is told in words alone", async () => {
  await using place = crushPlace();
  for (const args of [
    ["--output", "yaml"],
    ["--output", "json", "--output", "json"],
    ["--output"],
  ]) {
    const ended = await place.run(["run", "hi", ...args]);
    expect([ended.status, ended.stdout.toString()]).toEqual([2, ""]);
    expect(errorLines(ended)).toHaveLength(1);
  }
});

test("the format may come from the environment, and text is text", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  const env = { CRUSH_RUN_OUTPUT: "json" };
  expect(resultOf("json", await place.run(["run", "hi"], { env }))).toMatchObject({ text: "ok" });
  expect(resultOf("json", await place.run(["run", "--nope"], { env }))["reason"]).toBe("usage");
  const text = await place.run(["run", "--output", "text", "hi"], { env });
  expect([text.status, text.stdout.toString()]).toEqual([0, "ok\n"]);
});

test.each(FORMATS)("%s: a data directory that is none is told in a result", async (format) => {
  await using place = crushPlace();
  const file = place.write("file", "");
  const [ended, result] = await runIn(place, format, ["-D", file, "-m", "demo/offline", "hi"]);
  expect([ended.status, result["reason"], result["exit_code"]]).toEqual([8, "storage", 8]);
});

test.each(
  FORMATS.flatMap(
    (format) =>
      [
        [format, "SIGINT", 130],
        [format, "SIGTERM", 143],
      ] as const,
  ),
)(
  "%s: after %s the result is written, then the process dies of it",
  async (format, signal, code) => {
    await using provider = await startFakeProvider({
      text: "one two three",
      chunks: 3,
      silenceAfter: 1,
    });
    await using place = crushPlace({ provider });
    const run = place.spawn(["run", "--output", format, "-v", "hi"]);
    await run.waitForStderr("run ");
    await expect.poll(() => provider.requests.length, { timeout: 10_000 }).toBe(1);
    await run.waitForStdout(format === "json" ? "" : "text.delta");
    run.child.kill(signal);
    const ended = await run.ended;
    expect([ended.status, ended.signal]).toEqual([null, signal]);
    expect(errorLines(ended)).toHaveLength(1);
    expect(resultOf(format, ended)).toMatchObject({
      status: "cancelled",
      reason: "signal",
      exit_code: code,
      retryable: true,
    });
  },
);

test("a reader that takes the first line and leaves ends the run, without a trace", async () => {
  await using provider = await startFakeProvider({
    text: "x".repeat(20_000),
    chunks: 2_000,
    delayMs: 5,
  });
  await using place = crushPlace({ provider });
  const script = 'crush run --output stream-json hi | head -1; echo "${PIPESTATUS[0]}" >&2';
  const ended = await shell(place, script);
  expect(ended.stderr).toBe("141\n");
  expect(documents(ended)).toMatchObject([{ type: "run.started", seq: 1 }]);
  // It may have left before the model was asked.
  await expect.poll(() => provider.requests.every(({ clientLeft }) => clientLeft)).toBe(true);
});

test.each(FORMATS)("%s: a full disk under the result is exit 8", async (format) => {
  await using provider = await startFakeProvider({ text: "an answer" });
  await using place = crushPlace({ provider });
  const full = openSync("/dev/full", "w");
  const ended = await place.run(["run", "--output", format, "hi"], { stdout: full });
  closeSync(full);
  expect(ended.status).toBe(8);
  expect(errorLines(ended)).toEqual([expect.stringContaining("(output_write)") as string]);
});

test.concurrent.each(FORMATS)(
  "%s: a reader that never reads does not outlive --timeout",
  async (format) => {
    await using provider = await startFakeProvider({ text: "y".repeat(3_000_000), write: "64k" });
    await using place = crushPlace({ provider });
    const script = `crush run --output ${format} --timeout 2s --kill-after 1s hi | (exec 3<&0; sleep 8); echo "\${PIPESTATUS[0]}"`;
    const ended = await shell(place, script);
    expect(ended.stdout).toBe("124\n");
    expect(ended.stderr).toMatch(/^error: .*\(timeout\)/);
  },
);

test("--print-schema prints the JSON Schema of the result, or of an event, and asks no model", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  for (const [words, schema] of [
    [[], resultSchema()],
    [["result"], resultSchema()],
    [["events"], eventSchema()],
  ] as const) {
    const ended = await place.run(["run", "--print-schema", ...words]);
    expect([ended.status, ended.stderr.toString()]).toEqual([0, ""]);
    expect(JSON.parse(ended.stdout.toString())).toEqual(schema);
  }
  for (const words of [["everything"], ["result", "events"]]) {
    const ended = await place.run(["run", "--print-schema", ...words]);
    expect([ended.status, ended.stdout.toString()]).toEqual([2, ""]);
    expect(errorLines(ended)).toEqual([expect.stringMatching(/--print-schema.*result or events/)]);
  }
  for (const beside of ["-o=file", "--output=json", "--timeout=5"]) {
    const ended = await place.run(["run", "--print-schema", beside]);
    expect([ended.status, ended.stdout.toString()]).toEqual([2, ""]);
    expect(errorLines(ended)).toEqual([expect.stringMatching(/--print-schema and --.* exclude/)]);
  }
  expect(provider.requests).toEqual([]);
});
