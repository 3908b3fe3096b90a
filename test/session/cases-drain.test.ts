import { expect, test } from "vitest";
import type { RunId, SessionId } from "../../src/protocol/ids.ts";
import {
  decide,
  type Effect,
  type PromptEntry,
  type SessionState,
} from "../../src/session/decide.ts";
import { endNews } from "../../src/session/end-news.ts";
import { cancelledOutcome } from "../../src/session/outcome.ts";

const cancel = { reason: "by_client", by: null } as const;

interface Waiting {
  readonly seq: number;
  readonly runId?: string;
  readonly owner?: string;
}

const RUNNING: PromptEntry = {
  seq: 10,
  owner: "a",
  phase: "active",
  cancel: null,
  foldable: false,
};

/** The queue behind a turn that no mark covers, as its next step finds it. */
const behind = (queue: readonly Waiting[], upTo: number | null): SessionState => ({
  prompts: [
    RUNNING,
    ...queue.map(({ seq, runId, owner = "a" }) => ({
      seq,
      owner,
      phase: "queued" as const,
      cancel: null,
      foldable: runId === undefined,
    })),
  ],
  mark: upTo === null ? null : { ...cancel, upTo },
});

const drained = (queue: readonly Waiting[], upTo: number | null) => {
  const [after, effects] = decide(behind(queue, upTo), { type: "drain", seq: 10 }, "a");
  const of = (type: Effect["type"]): number[] =>
    effects.flatMap((effect) => (effect.type === type ? [effect.seq] : []));
  const rest = after.prompts.filter(({ phase }) => phase === "queued").map(({ seq }) => seq);
  const told = of("settle_cancelled").flatMap((seq) => newsOf(queue, seq));
  return { fold: of("fold"), dropped: of("settle_cancelled"), rest, told, after, effects };
};

/** What is told of a prompt that is dropped from the queue. */
const newsOf = (queue: readonly Waiting[], seq: number) =>
  endNews(
    {
      kind: "prompt",
      runId: (queue.find((one) => one.seq === seq)?.runId ?? null) as RunId | null,
      sessionId: "s" as SessionId,
      seq,
      state: "queued",
      owner: "a",
      prompt: "p",
      attachments: [],
      clientId: null,
      options: {},
      bodyHash: "",
      now: 1,
    },
    cancelledOutcome(cancel),
    "before_turn",
    () => "t",
  );

test("QUE-4: what the mark covers is dropped without a word, the rest joins, and the queue is empty", () => {
  const { fold, dropped, rest, told, after } = drained(
    [{ seq: 1 }, { seq: 2 }, { seq: 3 }, { seq: 0 }],
    2,
  );
  expect({ fold, dropped, rest, told }).toEqual({
    fold: [3],
    dropped: [1, 2, 0],
    rest: [],
    told: [],
  });
  expect(after).toEqual({ prompts: [RUNNING], mark: null });
});

test("QUE-5: without a mark all that may join joins, in order", () => {
  const { fold, dropped, rest } = drained([{ seq: 0 }, { seq: 5 }], null);
  expect({ fold, dropped, rest }).toEqual({ fold: [0, 5], dropped: [], rest: [] });
});

test("QUE-6, INV-20: prompts with a RunID stay queued, in order", () => {
  const { fold, rest, dropped } = drained(
    [{ seq: 11 }, { seq: 12, runId: "run-a" }, { seq: 13, runId: "run-b" }],
    null,
  );
  expect({ fold, rest, dropped }).toEqual({ fold: [11], rest: [12, 13], dropped: [] });
});

test("QUE-7: a covered prompt with a RunID is reported as dropped, a later one stays", () => {
  const { fold, rest, told } = drained(
    [{ seq: 1, runId: "run-canceled" }, { seq: 2 }, { seq: 5, runId: "run-survives" }],
    2,
  );
  expect({ fold, rest }).toEqual({ fold: [], rest: [5] });
  expect(told.map((event) => "runId" in event && event.runId)).toEqual(["run-canceled"]);
});

test("QUE-8: of what is dropped exactly one terminal is told, cancelled, and nothing else", () => {
  const { told, dropped } = drained([{ seq: 1, runId: "run-dropped" }, { seq: 2 }], 2);
  expect(dropped).toEqual([1, 2]);
  expect(told).toMatchObject([{ type: "run_complete", runId: "run-dropped", cancelled: true }]);
});

test("a drain folds what its own process accepted, and leaves the rest to its owner", () => {
  const { fold, rest } = drained([{ seq: 11 }, { seq: 12, owner: "b" }, { seq: 13 }], null);
  expect({ fold, rest }).toEqual({ fold: [11, 13], rest: [12] });
});

test("a turn that was cancelled takes nobody in", () => {
  const before = behind([{ seq: 11 }], null);
  const winding = {
    ...before,
    prompts: before.prompts.map((one) => (one.seq === 10 ? { ...one, cancel } : one)),
  };
  expect(decide(winding, { type: "drain", seq: 10 }, "a")).toEqual([winding, []]);
});

test("who does not hold the slot drains nothing", () => {
  const before = behind([{ seq: 11 }], null);
  for (const seq of [11, 99]) expect(decide(before, { type: "drain", seq }, "a")[1]).toEqual([]);
});
