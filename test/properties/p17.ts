import * as fc from "fast-check";
import type { WireEvent } from "../../src/protocol/event-wire.ts";
import { failure } from "../../src/protocol/ending.ts";
import type { MessageId } from "../../src/protocol/ids.ts";
import type { RunComplete } from "../../src/protocol/run-event.ts";
import { expire } from "../../src/run/reference-stream.ts";
import { end, followStream, step, type TextMode } from "../../src/run/run-stream.ts";
import {
  elsewhere,
  errorEvent,
  followAll,
  here,
  mine,
  terminal,
  theirs,
  took,
  whole,
} from "../support/reference-events.ts";
import { settledRecord } from "../support/run-record.ts";
import type { RaceProperty } from "./race-property.ts";

const text = fc.string({
  unit: fc.constantFrom("a", "b", " ", "\t", "\n", "é", "🙂"),
  maxLength: 10,
});
const ending = fc.constantFrom("done", "failed", "cancelled");

/** What is told of one run: its message as it grows, the error event of a failure, its terminal event. */
const told = fc
  .record({ text, ending, withId: fc.boolean(), namesRun: fc.boolean() })
  .map(({ text: said, ending: how, withId, namesRun }) => {
    const runId = withId ? mine : null;
    const letters = Array.from(said);
    const messages = letters.map((_, at) =>
      whole(letters.slice(0, at + 1).join(""), { runId: namesRun ? runId : null }),
    );
    const last = terminal(said, {
      runId,
      messageId: said === "" ? null : ("m1" as MessageId),
      cancelled: how === "cancelled",
      ...(how === "done" ? {} : { error: "boom" }),
    });
    const errors = how === "failed" ? [errorEvent(runId)] : [];
    return { runId, last, all: [...messages, ...errors, last] };
  });

const strangers = fc.array(
  fc.constantFrom<WireEvent>(
    whole("theirs", { id: "x", sessionId: elsewhere }),
    terminal("theirs", { runId: theirs, sessionId: elsewhere }),
    errorEvent(theirs, elsewhere),
    errorEvent(null, elsewhere),
  ),
  { maxLength: 3 },
);

/** Any order, anything twice. */
const schedule = told.chain((run) =>
  fc
    .tuple(fc.subarray<WireEvent>(run.all), strangers)
    .chain(([again, others]) => {
      const events = [...run.all, ...again, ...others];
      return fc.shuffledSubarray(events, { minLength: events.length, maxLength: events.length });
    })
    .map((events) => ({ ...run, events })),
);

/** Everything that one run leaves at the rim, by a server without records. */
function byTerminal(runId: typeof mine | null, events: readonly WireEvent[]): string {
  const seen = followAll(runId, events, "live");
  return JSON.stringify([seen.output, seen.end]);
}

/** The same of a server whose records give the verdict; the record is there when its terminal event is. */
function byRecord(mode: TextMode, last: RunComplete, events: readonly WireEvent[]): string {
  const { failure: what, cancelled, messageId } = last;
  const reason = cancelled ? "by_client" : (what?.reason ?? "end_turn");
  const why = reason === "end_turn" ? null : failure(reason, what?.message ?? "cancelled");
  const record = settledRecord(mine, { text: last.text, messageId, reason, failure: why });
  const letters = Array.from(last.text);
  let state = followStream(mine, here, mode);
  let output = "";
  let looks = 0;
  for (const event of events) {
    const [next, effects] = step(state, toldWithRecords(event, letters));
    state = next;
    for (const effect of effects)
      if (effect.type === "print") output += effect.text;
      else if (effect.type === "look_up") looks += 1;
  }
  const [, effects] = end(state, record);
  for (const effect of effects) if (effect.type === "print") output += effect.text;
  return JSON.stringify([output, looks, state.phase]);
}

/** Such a server names every run, and tells an own message as deltas, which keep their order. */
function toldWithRecords(event: WireEvent, letters: string[]): WireEvent {
  if (event.type === "run_complete" && event.runId === null) return { ...event, runId: mine };
  if (event.type !== "message" || event.sessionId !== here) return event;
  const delta = letters.shift() ?? "";
  const messageId = event.message.id;
  return { type: "text.delta", runId: mine, sessionId: here, messageId, text: delta };
}

function mustBe(found: string, expected: string): void {
  if (found !== expected) throw new Error(`found ${found}, expected ${expected}`);
}

/** P-17: what a client prints and how it ends, whatever the order of what it hears. */
export const p17: RaceProperty = {
  id: "P-17",
  title:
    "INV-34, INV-35, CLI-29: output and verdict are the same in every order of terminal, error and messages, with duplicates",
  property: () =>
    fc.asyncProperty(schedule, async ({ runId, last, all, events }) => {
      mustBe(byTerminal(runId, events), byTerminal(runId, [last]));
      for (const mode of ["live", "final"] as const)
        mustBe(byRecord(mode, last, events), byRecord(mode, last, [last]));
      // Without the terminal event an error ends the run all the same, with the same words.
      if (last.failure === null || last.cancelled) return;
      const deaf = followAll(
        runId,
        events.filter((event) => event.type === "agent_error"),
      );
      const { end: expired } = took(deaf, expire(deaf.state));
      mustBe(JSON.stringify(expired), JSON.stringify(followAll(runId, all).end));
    }),
};
