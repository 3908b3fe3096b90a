/**
 * One process among many on a data directory: `child DIRECTORY JOURNAL NAME SEED SESSION…`. Accepts, cancels, clears and attaches at random
 * until a line comes on standard input; then ends what it has and leaves.
 */
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { RunFailed } from "../../src/protocol/ending.ts";
import type { WireEvent } from "../../src/protocol/event-wire.ts";
import { newRunId, type RunId, type SessionId } from "../../src/protocol/ids.ts";
import { textOf } from "../../src/protocol/message.ts";
import { createDispatcher } from "../../src/session/create-dispatcher.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { openStore } from "../../src/store/store.ts";
import { chanceOf } from "./chance.ts";
import { microseconds, writeEntry, type Entry } from "./journal.ts";
import { moodyTurns } from "./moody-turns.ts";

const [directory = "", file = "", name = "", seed = "0", ...sessions] = process.argv.slice(2);
const chance = chanceOf(Number(seed));
const say = (entry: Entry): void => writeEntry(file, entry);
const wrong = (what: string): void => say({ is: "wrong", what });

/** More open prompts than this of its own, and a process waits before it sends another. */
const MOST_OPEN = 8;
const LONGEST_PAUSE_MS = 40;

const store = openStore(directory, { limitBytes: null });
say({ is: "born", owner: store.ownerId });
/** Open runs of others that it attached to, and wants to hear the end of. */
const curious = new Set<RunId>();
/** The last user message by session. */
const asked = new Map<string, string>();
const dispatcher = createDispatcher({
  store,
  clock: systemClock,
  random: () => chance.next(),
  prepareTurn: moodyTurns(chance, say),
  publish,
  onInterrupted: () => {},
});
dispatcher.recover();

let count = 0;
const parting = new AbortController();
createInterface(process.stdin).once("line", () => parting.abort());
while (!parting.signal.aborted) {
  try {
    act();
  } catch (error) {
    // Refused is an answer; anything else is a bug.
    const refused = error instanceof RunFailed && error.failure.reason !== "storage";
    if (!refused) wrong(`${name} threw ${String(error)}`);
  }
  await delay(chance.next() * LONGEST_PAUSE_MS);
}
while (dispatcher.inFlight() > 0 || curious.size > 0) await delay(5);
await dispatcher.shutdown();
store.close();
say({ is: "left" });
process.exit(0);

function act(): void {
  const session = chance.pick(sessions) as SessionId;
  const what = chance.weighed({
    accept: 60,
    acceptUnnamed: 16,
    attach: 6,
    reuse: 2,
    cancelSession: sessions.length === 1 ? 1 : 4,
    cancelRun: 6,
    clear: 2,
  });
  switch (what) {
    case "accept":
      return accept(session, newRunId());
    case "acceptUnnamed":
      return accept(session, null);
    case "attach":
    case "reuse":
      return attach(session, what === "reuse");
    case "cancelSession":
    case "clear":
    case "cancelRun":
      return cancel(session, what);
  }
}

function accept(sessionId: SessionId, runId: RunId | null): void {
  if (dispatcher.inFlight() >= MOST_OPEN) return;
  const prompt = `${name} ${(count += 1)}`;
  const began = microseconds();
  // Some ask for something of their own, and must not join another's turn.
  const options = chance.next() < 0.2 ? { retries: 1 } : {};
  const { seq } = dispatcher.accept({
    kind: "prompt",
    sessionId,
    runId,
    prompt,
    attachments: [],
    clientId: name,
    options,
    bodyHash: prompt,
  });
  say({ is: "accepted", seq, runId, session: sessionId, prompt, asked: began });
}

/** Posts the RunID of somebody's open run once more, with the same body or another one. */
function attach(sessionId: SessionId, changed: boolean): void {
  const named = chance.pick(store.runs.open(sessionId).filter(({ runId }) => runId !== null));
  const known = named === null ? null : store.runs.get(named.seq);
  if (known === null || known.runId === null) return;
  const bodyHash = changed ? `${known.bodyHash} and more` : known.bodyHash;
  const { attached, state } = dispatcher.accept({ ...known, bodyHash });
  if (changed) wrong(`${name} took another body for ${known.runId}`);
  if (!attached) wrong(`${name} took ${known.runId} a second time`);
  if (known.owner === store.ownerId) return;
  const open = state !== "settled";
  if (open) curious.add(known.runId);
  say({ is: "attached", runId: known.runId, open });
}

function cancel(sessionId: SessionId, how: "cancelSession" | "cancelRun" | "clear"): void {
  const by = `${name} cancel ${(count += 1)}`;
  const began = microseconds();
  const done = (what: "session" | "run" | "queue"): void =>
    say({ is: "cancelled", what, session: sessionId, by, asked: began });
  if (how === "cancelSession") {
    dispatcher.cancelSession(sessionId, "by_client", by);
    return done("session");
  }
  if (how === "clear") {
    dispatcher.clearQueue(sessionId, by);
    return done("queue");
  }
  const { runId } = chance.pick(store.runs.open(sessionId)) ?? { runId: null };
  if (runId === null) return;
  dispatcher.cancelRun(runId, "by_client", by);
  done("run");
}

function publish(event: WireEvent): void {
  if (event.type === "message" && event.message.role === "user")
    asked.set(event.sessionId, textOf(event.message));
  // Its own prompt is the last user message of its session then.
  if (event.type === "run.started")
    say({ is: "turn", session: event.sessionId, prompt: asked.get(event.sessionId) ?? "" });
  if (event.type !== "run_complete") return;
  const { runId, sessionId: session, cancelled, failure, text } = event;
  if (runId !== null) curious.delete(runId);
  say({ is: "told", runId, session, cancelled, reason: failure?.reason ?? null, text });
}
