import type { Reason, RunFailure } from "../protocol/ending.ts";
import { failure } from "../protocol/ending.ts";
import type { AgentError, WireEvent } from "../protocol/event-wire.ts";
import type { MessageId, RunId, SessionId } from "../protocol/ids.ts";
import { textOf } from "../protocol/message.ts";
import type { MessageEvent, RunComplete } from "../protocol/run-event.ts";
import { completeText, NO_TEXT, type LiveText } from "./live-text.ts";
import type { TextMode } from "./run-stream.ts";

/**
 * Following one run on a server that keeps no records of runs and names none on its messages: its terminal event says how it ended
 * and what it said. Without a RunID the run is told by its session. behaviour.md CLI-1 to CLI-20.
 */
export interface ReferenceStream {
  readonly runId: RunId | null;
  readonly sessionId: SessionId;
  readonly mode: TextMode;
  /** `failing`: an error event came, and its terminal event may still tell better. */
  readonly phase: "following" | "failing" | "ended";
  readonly live: LiveText;
  /** What was printed of messages before the current one. */
  readonly earlier: ReadonlyMap<MessageId, string>;
  readonly error: string | null;
  readonly isSpinning: boolean;
}

export type ReferenceEffect =
  | { readonly type: "print"; readonly text: string }
  | { readonly type: "stop_spinner" }
  /** Give the terminal event a bounded moment, then `expire`. */
  | { readonly type: "deadline" }
  | { readonly type: "end"; readonly reason: Reason; readonly failure: RunFailure | null };

type Next = readonly [ReferenceStream, readonly ReferenceEffect[]];

export function followReferenceStream(
  runId: RunId | null,
  sessionId: SessionId,
  mode: TextMode,
): ReferenceStream {
  return {
    runId,
    sessionId,
    mode,
    phase: "following",
    live: NO_TEXT,
    earlier: new Map(),
    error: null,
    isSpinning: true,
  };
}

/** One event of the workspace in; next state and effects out. Contract: must not throw. */
export function stepReference(state: ReferenceStream, event: WireEvent): Next {
  if (state.phase === "ended") return [state, []];
  switch (event.type) {
    case "message":
      return isOwnAnswer(state, event) ? answers(state, event) : [state, []];
    case "run_complete":
      return isOwnEnd(state, event) ? ends(state, event) : [state, []];
    case "agent_error":
      return isOwnError(state, event) ? fails(state, event.error) : [state, []];
    default:
      return [state, []];
  }
}

/** No terminal event will come: an error event is the verdict after all. Without one there is none, and nothing ends. */
export function expire(state: ReferenceStream): Next {
  if (state.phase !== "failing") return [state, []];
  const what = failure("provider_error", state.error ?? "");
  return ended(state, { type: "end", reason: what.reason, failure: what });
}

/** The following ends without a verdict: what closes the last line that was printed (CLI-25). */
export const leaveReference = ({ phase, live: { lastChar } }: ReferenceStream): string =>
  phase === "ended" || lastChar === "" || lastChar === "\n" ? "" : "\n";

/** With a RunID, messages that name no run may be another's (CLI-1). */
function isOwnAnswer({ runId, sessionId }: ReferenceStream, event: MessageEvent): boolean {
  const { message, lifecycle } = event;
  return (
    event.sessionId === sessionId &&
    event.runId === runId &&
    lifecycle !== "deleted" &&
    message.role === "assistant" &&
    message.isSummary !== true
  );
}

const isOwnEnd = (state: ReferenceStream, event: RunComplete): boolean =>
  state.runId === null ? event.sessionId === state.sessionId : event.runId === state.runId;

/** An older server names no run: then the session counts. */
const isOwnError = (state: ReferenceStream, event: AgentError): boolean =>
  event.runId === null ? event.sessionId === state.sessionId : event.runId === state.runId;

function answers(state: ReferenceStream, { message }: MessageEvent): Next {
  const text = shown(textOf(message));
  const { live, earlier } = state;
  if (state.mode === "final" || text === "" || earlier.has(message.id)) return [state, []];
  if (message.id !== live.messageId) return answered(state, message.id, text);
  // An older event, or another attempt of which the server says nothing: the terminal event has the whole text (CLI-18).
  return text.startsWith(live.text) ? answered(state, message.id, text) : [state, []];
}

function answered(state: ReferenceStream, messageId: MessageId, text: string): Next {
  const { live } = state;
  const earlier =
    live.messageId === null || live.messageId === messageId
      ? state.earlier
      : new Map([...state.earlier, [live.messageId, live.text] as const]);
  const [next, more] = completeText(live, messageId, text);
  if (more === "") return [{ ...state, live: next, earlier }, []];
  const [quiet, stopped] = stopSpinner({ ...state, live: next, earlier });
  return [quiet, [...stopped, { type: "print", text: more }]];
}

function fails(state: ReferenceStream, error: string): Next {
  if (state.phase === "failing") return [state, []];
  const [quiet, stopped] = stopSpinner({ ...state, phase: "failing", error });
  return [quiet, [...stopped, { type: "deadline" }]];
}

/** The terminal event is the authority: what the stream lost on the way is printed, and also what a failed run has said. */
function ends(state: ReferenceStream, event: RunComplete): Next {
  const [quiet, stopped] = stopSpinner(state);
  const text = shown(event.text);
  const isNew =
    event.messageId !== null && text !== "" && state.earlier.get(event.messageId) !== text;
  const [told, printed] = isNew ? answered(quiet, event.messageId, text) : [quiet, []];
  const [over, effects] = ended(told, verdict(event));
  return [over, [...stopped, ...printed, ...effects]];
}

function verdict({ cancelled, failure: what }: RunComplete): ReferenceEffect {
  if (cancelled) return { type: "end", reason: "by_client", failure: null };
  return { type: "end", reason: what?.reason ?? "end_turn", failure: what };
}

function ended(state: ReferenceStream, end: ReferenceEffect): Next {
  const text = leaveReference(state);
  const newline: readonly ReferenceEffect[] = text === "" ? [] : [{ type: "print", text }];
  return [{ ...state, phase: "ended" }, [...newline, end]];
}

const stopSpinner = (state: ReferenceStream): Next =>
  state.isSpinning ? [{ ...state, isSpinning: false }, [{ type: "stop_spinner" }]] : [state, []];

/** Spaces and tabs before a text are none of it, and space alone is no text (CLI-15, CLI-16). */
const shown = (text: string): string => (text.trim() === "" ? "" : text.replace(/^[ \t]+/, ""));
