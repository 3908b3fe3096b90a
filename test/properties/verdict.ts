import { ENDINGS, type Reason } from "../../src/protocol/ending.ts";
import type { WireEvent } from "../../src/protocol/event-wire.ts";
import { textOf, type FinishReason, type Message } from "../../src/protocol/message.ts";
import type { RunOutcome } from "../../src/protocol/run-record.ts";
import type { Store } from "../../src/store/store.ts";
import { endOf } from "./plan.ts";
import type { Process } from "./process.ts";
import type { Rejected, Tracked } from "./prompts.ts";

/** What is left when everything has come to an end. */
export interface Leavings {
  /** Of a process that nothing stands in the way of. */
  readonly store: Store;
  readonly processes: readonly Process[];
  readonly prompts: readonly Tracked[];
  readonly rejected: readonly Rejected[];
  /** The store has failed on the way: outcomes and messages may be missing, the rest holds. */
  readonly storeFailed: boolean;
}

/** Every sentence of it is a promise that was broken. */
export function verdict(leavings: Leavings): string[] {
  const { prompts, rejected, processes } = leavings;
  return [
    ...quiescence(leavings),
    ...prompts.flatMap((prompt) => ending(leavings, prompt)),
    ...prompts.flatMap((prompt) => history(leavings, prompt)),
    ...rejected.flatMap((one) => rejection(leavings, one)),
    ...processes.flatMap((process) => afterTheEnd(process)),
    ...order(prompts),
  ];
}

/** INV-22 */
function quiescence({ store, processes, prompts }: Leavings): string[] {
  const faults: string[] = [];
  const open = store.runs.openSessions().flatMap((id) => store.runs.open(id));
  if (open.length > 0) faults.push(`open at the end: ${JSON.stringify(open)}`);
  for (const sessionId of new Set(prompts.map((prompt) => prompt.sessionId)))
    if (store.sessions.cancelMark(sessionId) !== null) faults.push("a mark is left");
  for (const { name, state, dispatcher } of processes)
    if (state !== "dead" && dispatcher.inFlight() > 0)
      faults.push(`${name} has ${dispatcher.inFlight()} tasks at the end`);
  return faults;
}

/** INV-1, INV-3, INV-9, INV-15: one end each, the one that the oracle knows, told once. */
function ending({ store, processes, storeFailed }: Leavings, prompt: Tracked): string[] {
  const outcome = store.runs.outcome(prompt.seq);
  const home = processes.find(({ name }) => name === prompt.process);
  const alive = home !== undefined && home.state !== "dead";
  const faults: string[] = [];
  const must = (holds: boolean, what: string): void => {
    if (!holds) faults.push(`${prompt.name}: ${what}`);
  };
  if (outcome === null) {
    must(false, "it has no outcome");
    return faults;
  }
  const allowed = allowedEnds(prompt, alive, storeFailed);
  must(
    allowed.has(outcome.reason),
    `it ended as ${outcome.reason}, not as ${[...allowed].join(" or ")}`,
  );
  // CAN-28, CAN-29: neither a continuation nor another attempt.
  if (prompt.instead.size === 0 && prompt.callsAtFlag !== null)
    must(prompt.calls.length === prompt.callsAtFlag, "its model was called after its cancel");
  if (outcome.reason === prompt.flag?.reason)
    must(outcome.cancelledBy === (prompt.flag.by ?? undefined), "somebody else cancelled it");
  if (prompt.runId === null) return faults;
  for (const [process, told] of prompt.terminals) {
    must(told.length === 1, `${process} told its end ${told.length} times`);
    const [end] = told;
    if (end === undefined) continue;
    must(end.sessionId === prompt.sessionId, "its end names another session");
    if (storeFailed) continue;
    must(end.cancelled === isCancel(outcome), `${process} told of a cancel, or did not`);
    must(end.failure?.reason === outcome.failure?.reason, `${process} told another failure`);
    must(end.text === outcome.text, `${process} told another text`);
    must(end.messageId === outcome.messageId, `${process} told another message`);
  }
  if (alive) must(prompt.terminals.has(prompt.process), "its end was not told");
  if (isCancel(outcome) && !storeFailed)
    must(
      !processes.some(({ events }) =>
        events.some((event) => event.type === "agent_error" && event.runId === prompt.runId),
      ),
      "its cancel was called an error",
    );
  return faults;
}

function allowedEnds(prompt: Tracked, alive: boolean, storeFailed: boolean): Set<string> {
  const { flag, closing, plan, foldable, instead } = prompt;
  const allowed = new Set(instead);
  const undisturbed = endOf(plan);
  if (flag !== null) allowed.add(flag.reason);
  if (closing) allowed.add("by_shutdown");
  if (flag === null && !closing) allowed.add(undisturbed);
  if (undisturbed === "idle_timeout") allowed.add(undisturbed);
  if (foldable && flag === null) allowed.add("end_turn");
  if (!alive) allowed.add("interrupted").add(undisturbed);
  if (storeFailed) allowed.add("storage").add("internal");
  return allowed;
}

/** INV-19, INV-21, INV-30, INV-32: the messages of its turn, or of its place in another one. */
function history({ store, prompts, storeFailed }: Leavings, prompt: Tracked): string[] {
  const { seq, sessionId, name } = prompt;
  const outcome = store.runs.outcome(seq);
  if (storeFailed || outcome === null || isCutOff(outcome, prompt)) return [];
  const faults: string[] = [];
  const must = (holds: boolean, what: string): void => {
    if (!holds) faults.push(`${name}: ${what}`);
  };
  const before = store.messages.listUpTo(sessionId, seq - 1);
  const turn = store.messages.listUpTo(sessionId, seq).slice(before.length);
  // PER-17, PER-4: what waited leaves no trace; what was not ready yet leaves its text and the marker.
  const { flag, stoodAtFlag } = prompt;
  if (flag !== null && outcome.reason === flag.reason) {
    must(stoodAtFlag !== "queued" || turn.length === 0, "it waited, and has a turn");
    must(
      stoodAtFlag !== "reserved" || turn.length === 2,
      "it was cancelled on entry, without trace",
    );
    must(stoodAtFlag !== "active" || turn.length > 0, "it held the slot, and has no turn");
  }
  const asked = store.messages.list(sessionId).filter((one) => isAsked(one, name)).length;
  must(asked <= 1, `its text stands in the history ${asked} times`);
  if (turn.length === 0) {
    const folded = asked === 1;
    must(!folded || prompt.foldable, "it joined a turn, and somebody waits for it");
    must(prompt.calls.length === 0, "its model was called, and it has no turn");
    must(outcome.reason !== "end_turn" || folded, "it is lost: no turn has it");
    return faults;
  }
  const [first, ...more] = turn;
  const rest = more.filter((message) => message.isSummary !== true && !isContinuation(message));
  must(first !== undefined && isAsked(first, name), "its turn does not begin with its text");
  for (const message of rest.filter(({ role }) => role === "user")) {
    const joined = prompts.find((other) => textOf(message) === other.name);
    must(joined !== undefined && joined.seq > seq && joined.foldable, "a stranger joined its turn");
    must(joined?.process === prompt.process, `${textOf(message)} joined a turn of another process`);
    must(
      prompt.flaggedAt === null || (joined?.askedAt ?? 0) < prompt.flaggedAt,
      `${textOf(message)} joined its turn when that was cancelled already`,
    );
  }
  const ends = rest.filter(({ role }) => role === "assistant").map(finishOf);
  must(!turn.some((message) => finishOf(message) === null), "a message of it is open");
  must(
    ends.filter((end) => end === "canceled").length === (isCancel(outcome) ? 1 : 0),
    `it ended as ${outcome.reason}, its messages as ${ends.join()}`,
  );
  if (isCancel(outcome))
    must(ends.at(-1) === "canceled", "the canceled marker is not its last word");
  if (outcome.reason === "end_turn") must(ends.at(-1) === "end_turn", "its last word is no end");
  must(hasEveryResult(turn), "a tool call has no result, or two");
  const all = store.messages.list(sessionId);
  if (all.some(({ isSummary }) => isSummary === true)) return faults; // the model is shown that instead
  return [...faults, ...modelInput(before, first, prompt)];
}

/** P-21: what its model was shown first is the whole history before it, in order, and its own text. */
function modelInput(
  before: readonly Message[],
  first: Message | undefined,
  { name, calls }: Tracked,
): string[] {
  const [shown] = calls;
  if (shown === undefined) return [];
  const wanted = [...before, ...(first === undefined ? [] : [first])];
  const got = shown.slice(0, wanted.length);
  // What has joined its turn meanwhile stands behind.
  if (shown.slice(wanted.length).some(({ role }) => role !== "user"))
    return [`${name}: its model was shown more than was said before`];
  return JSON.stringify(got) === JSON.stringify(wanted)
    ? []
    : [`${name}: its model was shown ${got.map(textOf).join()} for ${wanted.map(textOf).join()}`];
}

/** INV-2 */
function rejection({ store, processes }: Leavings, { name, runId }: Rejected): string[] {
  if (runId === null) return [];
  const faults: string[] = [];
  if (store.runs.find(runId) !== null) faults.push(`${name} was rejected, and is stored`);
  if (processes.some(({ events }) => events.some((event) => ofRun(event) === runId)))
    faults.push(`${name} was rejected, and there is news of it`);
  return faults;
}

/** INV-4: after its terminal event there is only the notice of an error. */
function afterTheEnd({ name, events }: Process): string[] {
  const ended = new Set<string>();
  const faults: string[] = [];
  for (const event of events) {
    const runId = ofRun(event);
    if (runId === null) continue;
    if (ended.has(runId) && event.type !== "agent_error" && event.type !== "run_complete")
      faults.push(`${name}: ${event.type} came after the end of its run`);
    if (event.type === "run_complete") ended.add(runId);
  }
  return faults;
}

/** Turns of a session begin in the order in which their prompts were accepted. */
function order(prompts: readonly Tracked[]): string[] {
  const faults: string[] = [];
  const last = new Map<string, Tracked>();
  const called = prompts.filter(({ calls }) => calls.length > 0);
  const byStart = called.toSorted((a, b) => (a.startedAs ?? 0) - (b.startedAs ?? 0));
  for (const prompt of byStart) {
    const before = last.get(prompt.sessionId);
    if (before !== undefined && before.seq > prompt.seq)
      faults.push(`${prompt.name} ran after ${before.name}, and was accepted before it`);
    last.set(prompt.sessionId, prompt);
  }
  return faults;
}

const ofRun = (event: WireEvent): string | null => ("runId" in event ? event.runId : null);

const isCancel = ({ reason }: Pick<RunOutcome, "reason">): boolean =>
  ENDINGS[reason satisfies Reason].status === "cancelled";

/** Nobody was there, or able, to write its last messages. */
const isCutOff = ({ reason }: RunOutcome, { isStubborn }: Tracked): boolean =>
  reason === "interrupted" || reason === "storage" || (isStubborn && reason === "by_shutdown");

const isAsked = (message: Message, name: string): boolean =>
  message.role === "user" && textOf(message) === name;

/** The request of a turn that goes on after its summary. */
const isContinuation = (message: Message): boolean =>
  message.role === "user" && textOf(message).startsWith("The work was interrupted");

function finishOf({ parts }: Message): FinishReason | null {
  const last = parts.at(-1);
  return last?.type === "finish" ? last.reason : null;
}

function hasEveryResult(turn: readonly Message[]): boolean {
  const parts = turn.flatMap((message) => message.parts);
  const called = parts.flatMap((part) => (part.type === "tool_call" ? [part.id] : []));
  const answered = parts.flatMap((part) => (part.type === "tool_result" ? [part.toolCallId] : []));
  return called.toSorted().join() === answered.toSorted().join();
}
