import type { WireEvent } from "../protocol/event-wire.ts";
import type { RunId, SessionId } from "../protocol/ids.ts";
import type { RunEvent } from "../protocol/run-event.ts";
import type { RunRecord } from "../protocol/run-record.ts";
import {
  addText,
  completeText,
  doubtText,
  NO_TEXT,
  resetText,
  trustText,
  type LiveText,
} from "./live-text.ts";

/** `live`: the text of every step as it comes. `final`: the last message, at the end. */
export type TextMode = "live" | "final";

/** Following one run. Only events of this run count; the record alone says how it ended. */
export interface RunStream {
  readonly runId: RunId;
  readonly sessionId: SessionId;
  readonly mode: TextMode;
  readonly phase: "following" | "terminal" | "ended";
  readonly live: LiveText;
}

export type StreamEffect =
  | { readonly type: "print"; readonly text: string }
  /** News for stderr. */
  | { readonly type: "tell"; readonly event: RunEvent }
  /** The terminal event was seen, or may have been lost: look the record up. */
  | { readonly type: "look_up" };

export function followStream(runId: RunId, sessionId: SessionId, mode: TextMode): RunStream {
  return { runId, sessionId, mode, phase: "following", live: NO_TEXT };
}

/** One event of the workspace in; next state and effects out. Contract: must not throw. */
export function step(
  state: RunStream,
  event: WireEvent,
): readonly [RunStream, readonly StreamEffect[]] {
  if (state.phase !== "following") return [state, []];
  if (event.type === "agent_error") return [state, []]; // never a verdict (W-25)
  if (event.type === "message" || event.type === "agent_notification") return [state, []];
  if (event.type === "gap")
    return [{ ...state, live: doubtText(state.live) }, [{ type: "look_up" }]];
  if (event.runId !== state.runId) return [state, []];
  switch (event.type) {
    case "run_complete":
      return [{ ...state, phase: "terminal" }, [{ type: "look_up" }]];
    case "text.delta":
      return withText(state, event, addText(state.live, event.messageId, event.text));
    case "message.completed":
      return withText(state, event, completeText(state.live, event.messageId, event.text));
    case "text.reset":
      return [
        { ...state, live: resetText(state.live, event.messageId) },
        [{ type: "tell", event }],
      ];
    case "step.started":
      return [{ ...state, live: trustText(state.live) }, [{ type: "tell", event }]];
    default:
      return [state, [{ type: "tell", event }]];
  }
}

/** The record is there: what is still to be printed. */
export function end(
  state: RunStream,
  record: RunRecord,
): readonly [RunStream, readonly StreamEffect[]] {
  const ended = { ...state, phase: "ended" as const };
  const outcome = record.outcome;
  const text = outcome?.text ?? "";
  const messageId = outcome?.messageId ?? null;
  if (state.mode === "final") return [ended, print(finalText(record))];
  const [live, tail] =
    messageId === null || text === ""
      ? [state.live, ""]
      : completeText(state.live, messageId, text);
  return [{ ...ended, live }, print(tail + lineEnd(live.lastChar))];
}

/** What a reader of the last message alone gets of a run. */
export function finalText({ outcome }: RunRecord): string {
  const text = outcome?.text ?? "";
  return text + lineEnd(text.at(-1) ?? "");
}

/** The following ends without a record: what closes the last line that was printed (CLI-25). */
export const leave = ({ mode, live }: RunStream): string =>
  mode === "final" ? "" : lineEnd(live.lastChar);

function withText(
  state: RunStream,
  event: RunEvent,
  [live, text]: readonly [LiveText, string],
): readonly [RunStream, readonly StreamEffect[]] {
  const told: StreamEffect = { type: "tell", event };
  if (state.mode === "final") return [state, [told]];
  return [{ ...state, live }, [...print(text), told]];
}

/** One newline is added at the end of output that lacks one. */
const lineEnd = (lastChar: string): string => (lastChar === "" || lastChar === "\n" ? "" : "\n");

const print = (text: string): readonly StreamEffect[] =>
  text === "" ? [] : [{ type: "print", text }];
