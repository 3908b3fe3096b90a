import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { constants } from "node:os";
import { describe, expect, test } from "vitest";
import { ENDINGS, type Reason } from "../../src/protocol/ending.ts";
import { crushPlace, type CrushOptions, type CrushPlace, type Ended } from "../support/crush.ts";
import { errorLines } from "../support/ended-run.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import { ELSEWHERE, OUTCOMES, type Outcome } from "../support/outcomes.ts";

const FORMATS = ["text", "json", "stream-json"] as const;
type Format = (typeof FORMATS)[number];
const STDOUTS = ["pipe", "file", "closed"] as const;
type StdoutKind = (typeof STDOUTS)[number];
type Document = Readonly<Record<string, unknown>>;

test("every reason of the ending table is made to happen here, or it is said where", () => {
  const made = new Set(CASES.map(([, { reason }]) => reason));
  expect([...made, ...Object.keys(ELSEWHERE)].toSorted()).toEqual(Object.keys(ENDINGS).toSorted());
});

const CELLS = FORMATS.flatMap((format) => STDOUTS.map((stdout) => [format, stdout] as const));
type Case = Outcome & { readonly reason: Reason };
const CASES = Object.entries<Outcome>(OUTCOMES).map(
  ([title, outcome]) => [title, { reason: title as Reason, ...outcome }] as const,
);

describe.each(CASES)("%s", (_, outcome) => {
  test.concurrent.each(CELLS)("as %s to a %s", async (format, kind) => {
    await using scene = await sceneOf(outcome);
    const { ended, stdout } = await endedWith(scene, outcome, format, kind);
    expect([ended.status, ended.signal]).toEqual(endOf(outcome));
    expect(errorLines(ended)).toEqual(errorsOf(outcome));
    const answer = stdout === null ? null : answerIn(format, stdout);
    expect(answer).toEqual(stdout === null ? null : answered(format, outcome));
  });
});

const INPUTS = ["argument", "file", "stdin"] as const;
const CONVERSATIONS = ["new", "continue", "fork"] as const;

const WAYS = INPUTS.flatMap((input) =>
  CONVERSATIONS.flatMap((conversation) =>
    FORMATS.map((format) => [input, conversation, format] as const),
  ),
);

/** The same prompt, as it comes in. */
const GIVEN = {
  argument: { args: ["What now?"] },
  file: { args: ["--prompt-file", "prompt.txt"] },
  stdin: { args: [], stdin: { text: "What now?" } },
} as const satisfies Record<(typeof INPUTS)[number], CrushOptions & { args: readonly string[] }>;
const GOES_ON = { new: [], continue: ["--continue"], fork: ["--continue", "--fork"] } as const;

test.concurrent.each(WAYS)(
  "a prompt by %s in a session that is %s, as %s",
  async (input, conversation, format) => {
    await using provider = await startFakeProvider([{ text: "Before." }, { text: "Now." }]);
    await using place = crushPlace({ provider });
    place.write("prompt.txt", "What now?");
    const before = answerIn("json", text(await place.run(["run", "--output", "json", "What?"])));
    const { args, ...options } = GIVEN[input];
    const flags = ["--output", format, ...GOES_ON[conversation]];
    const ended = await place.run(["run", ...flags, ...args], options);
    expect([ended.status, ended.stderr.toString()]).toEqual([0, ""]);
    const answer = answerIn(format, text(ended));
    expect(answer).toEqual(answered(format, { reason: "end_turn", ends: 0, stdout: "Now.\n" }));
    expect(sessionIn(answer) === sessionIn(before)).toBe(
      format !== "text" && conversation === "continue",
    );
    const asked = JSON.stringify(provider.requests[1]?.body);
    expect(asked).toContain("What now?");
    expect(asked.includes("Before.")).toBe(conversation !== "new");
    const { stdout } = await place.run(["session", "list", "--json"]);
    expect(JSON.parse(stdout.toString())).toHaveLength(conversation === "continue" ? 1 : 2);
  },
);

const text = ({ stdout }: Ended): string => stdout.toString();
const sessionIn = (answer: string | Document): unknown =>
  typeof answer === "string" ? null : answer["session_id"];

/** The status as a process has it: a signal leaves none. */
const endOf = ({ ends }: Outcome): readonly unknown[] =>
  typeof ends === "number" ? [ends, null] : [null, ends];

/** And as the result tells it, and a shell. */
const codeOf = ({ ends }: Outcome): number =>
  typeof ends === "number" ? ends : 128 + constants.signals[ends];

const errorsOf = ({ reason }: Case): readonly unknown[] =>
  reason === "end_turn" ? [] : [expect.stringContaining(`(${reason})`)];

const answered = (format: Format, outcome: Case): unknown =>
  format === "text" ? (outcome.stdout ?? "") : expect.objectContaining(resultOf(outcome));

function resultOf(outcome: Case): object {
  const { reason } = outcome;
  const { status, retryable } = ENDINGS[reason];
  const error: unknown = reason === "end_turn" ? null : expect.objectContaining({ code: reason });
  return {
    schema_version: 1,
    status,
    reason,
    retryable,
    exit_code: codeOf(outcome),
    text: (outcome.stdout ?? "").replace(/\n$/, ""),
    error,
  };
}

/** As a reader takes it: the text; or of nothing but documents the last one, which alone is the result. */
function answerIn(format: Format, stdout: string): string | Document {
  if (format === "text") return stdout;
  if (!stdout.endsWith("\n")) throw new Error(`no line ends it: ${stdout}`);
  const lines = stdout.slice(0, -1).split("\n");
  if (format === "json" && lines.length !== 1) throw new Error(`more than one line: ${stdout}`);
  const documents = lines.map((line) => JSON.parse(line) as Document);
  const results = documents.filter(({ type }) => type === "run.result");
  const [result] = results;
  if (result === undefined || result !== documents.at(-1) || results.length > 1)
    throw new Error(`the result does not stand alone at the end: ${stdout}`);
  return result;
}

interface Stage extends AsyncDisposable {
  readonly place: CrushPlace;
  readonly provider: Awaited<ReturnType<typeof startFakeProvider>>;
}

async function sceneOf(outcome: Outcome): Promise<Stage> {
  const provider = await startFakeProvider(outcome.script ?? {});
  const { configuration } = outcome;
  const place = crushPlace(
    configuration === undefined ? { provider } : { configuration: configuration(provider.url) },
  );
  await outcome.before?.(place, provider);
  return {
    place,
    provider,
    [Symbol.asyncDispose]: async () => {
      await place[Symbol.asyncDispose]();
      await provider.close();
    },
  };
}

/** Runs the command, and reads what came on its standard output; null when that was closed. */
async function endedWith(
  { place, provider }: Stage,
  { args = [], words = ["hi"], env, during }: Outcome,
  format: Format,
  kind: StdoutKind,
): Promise<{ readonly ended: Ended; readonly stdout: string | null }> {
  const file = join(place.home, "stdout");
  const descriptor = kind === "file" ? openSync(file, "w") : null;
  const options: CrushOptions = {
    withinMs: 30_000,
    ...(env && { env }),
    ...(kind === "pipe" ? {} : { stdout: descriptor ?? "closed" }),
  };
  const run = place.spawn(["run", "--output", format, ...args, ...words], options);
  if (descriptor !== null) closeSync(descriptor);
  run.ended.catch(() => {}); // awaited below
  await during?.({ place, provider, run });
  const ended = await run.ended;
  if (kind === "closed") return { ended, stdout: null };
  return { ended, stdout: kind === "pipe" ? ended.stdout.toString() : readFileSync(file, "utf8") };
}
