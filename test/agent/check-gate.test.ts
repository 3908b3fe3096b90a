import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { prepareGates } from "../../src/agent/prepare-gates.ts";
import { ANSWER_TOOL } from "../../src/agent/answer-form.ts";
import { RunAborted } from "../../src/protocol/run-aborted.ts";
import { limitsOf, type RunOptions } from "../../src/protocol/run-options.ts";
import { systemClock } from "../../src/shared/clock.ts";
import {
  callsTools,
  fakeModel,
  fails,
  says,
  type FakeModel,
  type ModelStep,
} from "../support/fake-model.ts";
import { living } from "../support/living.ts";
import { takeTurn, type TakenTurn } from "../support/take-turn.ts";
import { tempDirectory } from "../support/tool-context.ts";
import { turnSetup } from "../support/turn-setup.ts";

type Wishes = NonNullable<Parameters<typeof takeTurn>[1]> & {
  readonly limits?: RunOptions;
  readonly env?: Readonly<Record<string, string>>;
};

async function checked(
  cwd: string,
  steps: readonly ModelStep[],
  options: RunOptions,
  { limits = {}, env = {}, ...wishes }: Wishes = {},
): Promise<TakenTurn & { readonly model: FakeModel }> {
  const model = fakeModel(...steps);
  const setup = turnSetup(model, {
    gates: prepareGates(options),
    workingDirectory: cwd,
    toolEnv: { PATH: process.env["PATH"] ?? "", ...env },
    limits: limitsOf(limits),
  });
  return { ...(await takeTurn(setup, { clock: systemClock, ...wishes })), model };
}

const checksIn = ({ events }: TakenTurn) =>
  events.filter(({ type }) => type === "check.started" || type === "check.completed");

test("a check that ends with 0 accepts the answer, and is told of", async () => {
  using directory = tempDirectory();
  const taken = await checked(directory.path, [says("Done.")], {
    check: "echo fine; echo really >&2; pwd",
  });
  expect(taken.outcome).toMatchObject({ reason: "end_turn", text: "Done.", partial: false });
  expect(checksIn(taken)).toEqual([
    { type: "check.started", command: "echo fine; echo really >&2; pwd", n: 1 },
    {
      type: "check.completed",
      exitCode: 0,
      output: `fine\nreally\n${directory.path}`,
      truncated: false,
      ms: expect.any(Number) as unknown,
    },
  ]);
});

test("it runs in bash with the environment of the tools", async () => {
  using directory = tempDirectory();
  const check = '[[ $MARK == here ]] && echo "$MARK"';
  const taken = await checked(directory.path, [says("x")], { check }, { env: { MARK: "here" } });
  expect(checksIn(taken)[1]).toMatchObject({ exitCode: 0, output: "here" });
});

test("what it complains about goes back to the model, which may put it right", async () => {
  using directory = tempDirectory();
  const file = join(directory.path, "count");
  const repairs: ModelStep = (call, signal) => {
    writeFileSync(file, "right");
    return says("Repaired.")(call, signal);
  };
  const taken = await checked(directory.path, [says("Done."), repairs], {
    check: `echo "count is missing"; test -f count || exit 3`,
  });
  expect(taken.outcome).toMatchObject({ reason: "end_turn", text: "Repaired.", turns: 2 });
  const [words] = taken.sink.messages[1]?.parts ?? [];
  expect(taken.sink.messages[1]?.role).toBe("user");
  expect(words).toMatchObject({ text: expect.stringContaining("(exit code 3)") as unknown });
  expect(words).toMatchObject({ text: expect.stringContaining("count is missing") as unknown });
  expect(taken.model.calls[1]?.messages.at(-1)?.parts[0]).toEqual(words);
  expect(checksIn(taken)).toMatchObject([
    { n: 1 },
    { exitCode: 3 },
    { type: "check.started", n: 2 },
    { exitCode: 0 },
  ]);
});

test.each([
  [undefined, 3],
  [0, 1],
  [1, 2],
])("with %j retries it fails the run after %i times, and the answer stays", async (n, times) => {
  using directory = tempDirectory();
  const taken = await checked(directory.path, [says("Done.")], {
    check: "echo once >>log; echo first; echo '  the last  '; echo; false",
    ...(n === undefined ? {} : { checkRetries: n }),
  });
  expect(taken.outcome).toMatchObject({
    reason: "check_failed",
    failure: { message: "the check failed (exit code 1): the last" },
    text: "Done.",
    partial: false,
    turns: times,
  });
  expect(readFileSync(join(directory.path, "log"), "utf8")).toBe("once\n".repeat(times));
});

test("a check that a signal ended has failed", async () => {
  using directory = tempDirectory();
  const taken = await checked(directory.path, [says("x")], {
    check: "kill -9 $$",
    checkRetries: 0,
  });
  expect(taken.outcome.failure?.message).toBe("the check failed (ended by SIGKILL)");
  expect(checksIn(taken)[1]).toMatchObject({ exitCode: null });
});

test("a check that cannot be started fails the run at once, and says why", async () => {
  const taken = await checked("/nowhere/at/all", [says("x")], { check: "true" });
  expect(taken.outcome).toMatchObject({
    reason: "check_failed",
    failure: {
      message: "the check could not be started: the working directory /nowhere/at/all is gone",
    },
    turns: 1,
  });
});

test("of a long output the beginning and the end are kept", async () => {
  using directory = tempDirectory();
  const taken = await checked(directory.path, [says("x")], {
    check: "echo first; seq 1 100000; echo last; false",
    checkRetries: 0,
  });
  const [, ended] = checksIn(taken);
  expect(ended).toMatchObject({ truncated: true });
  const { output } = ended?.type === "check.completed" ? ended : { output: "" };
  expect(output.length).toBeLessThan(40_000);
  expect(output).toMatch(/^first\n[^]*bytes left out[^]*\nlast$/);
});

test("an answer that was cut off, or failed, is not checked", async () => {
  using directory = tempDirectory();
  const taken = await checked(directory.path, [fails()], { check: "touch checked" });
  expect(taken.outcome.reason).toBe("provider_error");
  const empty = await checked(directory.path, [says("")], { check: "touch checked" });
  expect(empty.outcome.reason).toBe("empty_output");
  expect(existsSync(join(directory.path, "checked"))).toBe(false);
});

test("the check runs after the schema has accepted, and the answer follows it again afterwards", async () => {
  using directory = tempDirectory();
  const call = (id: string, n: number): ModelStep =>
    callsTools({ id, name: ANSWER_TOOL, input: { n } });
  const wrong = callsTools({ id: "w", name: ANSWER_TOOL, input: { n: "x" } });
  const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
  const steps = [wrong, wrong, call("a", 1), wrong, wrong, call("b", 2)];
  const check = "echo x >>log; [ $(wc -l <log) -ge 2 ]";
  const taken = await checked(directory.path, steps, { schema, check });
  expect(taken.outcome).toMatchObject({ reason: "end_turn", structured: { n: 2 }, turns: 6 });
  expect(taken.outcome.text).toBe('{"n":2}');
  expect(checksIn(taken)).toHaveLength(4);
});

test("an answer that a check refused for good stays in the result, as it was validated", async () => {
  using directory = tempDirectory();
  const right = callsTools({ name: ANSWER_TOOL, input: { n: 1 } });
  const schema = { type: "object", properties: { n: { type: "integer" } } };
  const options = { schema, check: "false", checkRetries: 0 };
  const taken = await checked(directory.path, [right], options);
  expect(taken.outcome).toMatchObject({ reason: "check_failed", structured: { n: 1 } });
  expect(taken.outcome.text).toBe('{"n":1}');
});

test("an answer that a check has sent back is no longer the answer", async () => {
  using directory = tempDirectory();
  const right = callsTools({ name: ANSWER_TOOL, input: { n: 1 } });
  const options = { schema: { type: "object" }, check: "false" };
  const limits = { maxTurns: 1 };
  const taken = await checked(directory.path, [right], options, { limits });
  expect(taken.outcome).toMatchObject({ reason: "turns", text: "" });
  expect(taken.outcome).not.toHaveProperty("structured");
});

test("a limit that is reached while the agent repairs is that limit's end", async () => {
  using directory = tempDirectory();
  const options = { check: "false" };
  const limits = { maxTurns: 2 };
  const taken = await checked(directory.path, [says("x")], options, { limits });
  expect(taken.outcome).toMatchObject({ reason: "turns", turns: 2 });
});

test(
  "the run's deadline ends the check, nothing of it is left, and the answer is whole",
  { timeout: 20_000 },
  async () => {
    using directory = tempDirectory();
    const limit = new AbortController();
    const onEvent: Wishes["onEvent"] = (event) => {
      if (event.type === "tool.progress") limit.abort(new RunAborted("timeout"));
    };
    const check = "echo begun; sleep 61.0033 & wait";
    const wishes = { signal: limit.signal, onEvent };
    const taken = await checked(directory.path, [says("Done.")], { check }, wishes);
    expect(taken.outcome).toMatchObject({ reason: "timeout", text: "Done.", partial: false });
    expect(living("61.0033")).toEqual([]);
  },
);

test(
  "output of the check keeps a run alive, and its silence does not",
  { timeout: 20_000 },
  async () => {
    using directory = tempDirectory();
    const limits = { idleTimeoutMs: 600 };
    const loud = "for n in 1 2 3 4 5 6; do echo $n; sleep 0.2; done";
    const alive = await checked(directory.path, [says("x")], { check: loud }, { limits });
    expect(alive.outcome.reason).toBe("end_turn");
    const mute = await checked(directory.path, [says("x")], { check: "sleep 60" }, { limits });
    expect(mute.outcome.reason).toBe("idle_timeout");
  },
);
