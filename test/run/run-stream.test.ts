import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { WireEvent } from "../../src/protocol/event-wire.ts";
import type { MessageId, RunId, SessionId } from "../../src/protocol/ids.ts";
import type { RunComplete, RunEvent, TurnEvent } from "../../src/protocol/run-event.ts";
import {
  end,
  followStream,
  step,
  type RunStream,
  type TextMode,
} from "../../src/run/run-stream.ts";
import { settledRecord } from "../support/run-record.ts";

const mine = "mine" as RunId;
const theirs = "theirs" as RunId;
const session = "s" as SessionId;
const elsewhere = "elsewhere" as SessionId;
const m = (n: number): MessageId => `m${n}` as MessageId;

const own = (event: TurnEvent): RunEvent => ({ ...event, runId: mine, sessionId: session });
const says = (n: number, text: string): RunEvent =>
  own({ type: "text.delta", messageId: m(n), text });
const ends = (n: number, text: string): RunEvent =>
  own({ type: "message.completed", messageId: m(n), text });

const complete = (runId: RunId | null, sessionId = session): RunComplete => ({
  type: "run_complete",
  runId,
  sessionId,
  messageId: null,
  text: "whatever",
  cancelled: false,
  failure: null,
});

interface Seen {
  readonly state: RunStream;
  readonly output: string;
  readonly told: string[];
  readonly looks: number;
}

function follow(events: readonly WireEvent[], mode: TextMode = "live"): Seen {
  let state = followStream(mine, session, mode);
  let output = "";
  let looks = 0;
  const told: string[] = [];
  for (const event of events) {
    const [next, effects] = step(state, event);
    state = next;
    for (const effect of effects) {
      if (effect.type === "print") output += effect.text;
      else if (effect.type === "tell") told.push(effect.event.type);
      else looks += 1;
    }
  }
  return { state, output, told, looks };
}

function printed(
  events: readonly WireEvent[],
  last: string,
  n = 1,
  mode: TextMode = "live",
): string {
  const { state, output } = follow(events, mode);
  const [, effects] = end(state, settledRecord(mine, { text: last, messageId: m(n) }));
  return output + effects.map((effect) => (effect.type === "print" ? effect.text : "")).join("");
}

test("the own terminal event ends the following, and the record is to be looked up", () => {
  const { state, looks } = follow([complete(mine), says(1, "late")]);
  expect(state.phase).toBe("terminal");
  expect(looks).toBe(1);
});

test("a gap is no verdict, but a reason to look the record up", () => {
  const { state, looks } = follow([{ type: "gap" }]);
  expect(state.phase).toBe("following");
  expect(looks).toBe(1);
});

test("W-25, CLI-29: an error event is never a verdict", () => {
  const error = { type: "agent_error", runId: mine, sessionId: session, error: "boom" } as const;
  expect(follow([error]).state.phase).toBe("following");
});

test("CLI-27: live mode prints the text of every step, a blank line between, one newline at the end", () => {
  const events = [says(1, "one"), ends(1, "one"), says(2, "t"), says(2, "wo"), ends(2, "two")];
  expect(printed(events, "two", 2)).toBe("one\n\ntwo\n");
});

test("final mode prints the last message alone, at the end", () => {
  const events = [says(1, "one"), ends(1, "one"), says(2, "two"), ends(2, "two")];
  expect(follow(events, "final").output).toBe("");
  expect(printed(events, "two\n", 2, "final")).toBe("two\n");
});

test("CLI-28: the partial text of a failed run is printed", () => {
  const { state } = follow([says(1, "half")], "final");
  const record = settledRecord(mine, { reason: "provider_error", text: "half", partial: true });
  expect(end(state, record)[1]).toEqual([{ type: "print", text: "half\n" }]);
});

test("a run without any text prints nothing, not even a newline", () => {
  expect(printed([], "")).toBe("");
  expect(printed([], "", 1, "final")).toBe("");
});

test("everything but text is told for stderr, in order", () => {
  const events = [
    own({ type: "run.started", model: "m" }),
    own({ type: "step.started", n: 1, model: "m", messageId: m(1) }),
    own({ type: "text.reset", messageId: m(1) }),
    own({ type: "warning", code: "c", message: "w" }),
  ];
  expect(follow(events).told).toEqual(["run.started", "step.started", "text.reset", "warning"]);
});

const text = fc.string({ unit: fc.constantFrom("a", "b", "\n", "é", "🙂"), maxLength: 12 });

const strangerId = fc.constantFrom(theirs, null);
const stranger: fc.Arbitrary<WireEvent> = fc.oneof(
  fc.tuple(strangerId, text).map(([runId, delta]): WireEvent => ({
    type: "text.delta",
    messageId: m(1),
    text: delta,
    runId,
    sessionId: session,
  })),
  fc.tuple(strangerId, text).map(([runId, whole]): WireEvent => ({
    type: "message.completed",
    messageId: m(1),
    text: whole,
    runId,
    sessionId: session,
  })),
  strangerId.map((runId): WireEvent => ({
    type: "text.reset",
    messageId: m(1),
    runId,
    sessionId: session,
  })),
  fc
    .tuple(strangerId, fc.constantFrom(session, elsewhere))
    .map(([runId, at]) => complete(runId, at)),
  fc
    .tuple(
      fc.constantFrom(theirs, mine, null),
      fc.constantFrom(session, elsewhere, "" as SessionId),
    )
    .map(([runId, sessionId]): WireEvent => ({
      type: "agent_error",
      runId,
      sessionId,
      error: "boom",
    })),
);

/** The messages of a run: each with its attempts; the last attempt is whole, the others were withdrawn. */
const messages = fc.array(fc.array(text, { minLength: 1, maxLength: 3 }), {
  minLength: 1,
  maxLength: 4,
});

interface Told {
  readonly events: RunEvent[];
  readonly last: string;
  readonly count: number;
}

const run: fc.Arbitrary<Told> = fc
  .tuple(messages, fc.infiniteStream(fc.integer({ min: 1, max: 5 })))
  .map(([all, sizes]) => {
    const events: RunEvent[] = [];
    all.forEach((attempts, index) => {
      const n = index + 1;
      events.push(own({ type: "step.started", n, model: "x", messageId: m(n) }));
      attempts.forEach((whole, attempt) => {
        if (attempt > 0) events.push(own({ type: "text.reset", messageId: m(n) }));
        const characters = Array.from(whole);
        while (characters.length > 0) {
          const size = sizes.next().value ?? 1;
          events.push(says(n, characters.splice(0, size).join("")));
        }
      });
      events.push(ends(n, attempts.at(-1) ?? ""));
    });
    return { events, last: all.at(-1)?.at(-1) ?? "", count: all.length };
  });

test("CLI-2, CLI-3, INV-35: whatever others do in between, output and end are the same", () => {
  fc.assert(
    fc.property(run, fc.array(fc.tuple(fc.nat(), stranger), { maxLength: 12 }), (told, others) => {
      const mixed: WireEvent[] = [...told.events];
      for (const [at, other] of others) mixed.splice(at % (mixed.length + 1), 0, other);
      expect(follow(mixed)).toEqual(follow(told.events));
      expect(printed(mixed, told.last, told.count)).toBe(
        printed(told.events, told.last, told.count),
      );
    }),
  );
});

const lineEnd = (whole: string): string => (whole === "" || whole.endsWith("\n") ? "" : "\n");

test("INV-34: live output only grows, and ends as the final text, whatever the stream lost", () => {
  fc.assert(
    fc.property(run, fc.infiniteStream(fc.boolean()), ({ events, last, count }, lost) => {
      const left = events.filter(() => lost.next().value !== true);
      expect(printed(left, last, count).endsWith(last + lineEnd(last))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("INV-34: a hole that is announced is filled: nothing is printed twice but what was withdrawn", () => {
  const plain = fc
    .array(fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 12 }), {
      minLength: 1,
      maxLength: 1,
    })
    .map((texts) => texts[0] ?? "");
  fc.assert(
    fc.property(plain, fc.nat(), fc.nat(), (whole, a, b) => {
      const deltas = Array.from(whole).map((letter) => says(1, letter));
      const [from, to] = [a % (deltas.length + 1), b % (deltas.length + 1)].toSorted(
        (x, y) => x - y,
      );
      const holed: WireEvent[] = [...deltas];
      holed.splice(from ?? 0, (to ?? 0) - (from ?? 0), { type: "gap" });
      expect(printed([...holed, ends(1, whole)], whole)).toBe(`${whole}\n`);
    }),
  );
});

test("without loss and without new attempts live output is the texts with blank lines between", () => {
  const texts = fc.array(fc.string({ unit: fc.constantFrom("a", "é", "🙂"), minLength: 1 }), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(texts, (all) => {
      const events = all.flatMap((whole, index) => [
        ...Array.from(whole).map((letter) => says(index, letter)),
        ends(index, whole),
      ]);
      expect(printed(events, all.at(-1) ?? "", all.length - 1)).toBe(`${all.join("\n\n")}\n`);
    }),
  );
});

test("final mode prints the last text and nothing else, whatever the stream said", () => {
  fc.assert(
    fc.property(run, fc.array(stranger), ({ events, last, count }, others) => {
      expect(printed([...others, ...events], last, count, "final")).toBe(last + lineEnd(last));
    }),
  );
});
