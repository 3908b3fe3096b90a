import type { RunFailure } from "./ending.ts";
import type { FinishReason, Message } from "./message.ts";
import type { DenialKind } from "./run-record.ts";
import type { MessageId, RunId, SessionId } from "./ids.ts";
import type { Usage } from "./usage.ts";

/** What a turn reports while it goes: the vocabulary of the event stream, without its addressee. */
export type TurnEvent =
  | { readonly type: "run.started"; readonly model: string }
  | { readonly type: "run.queued"; readonly ahead: number }
  | {
      readonly type: "step.started";
      readonly n: number;
      readonly model: string;
      readonly messageId: MessageId;
    }
  | { readonly type: "text.delta"; readonly messageId: MessageId; readonly text: string }
  | { readonly type: "reasoning.delta"; readonly messageId: MessageId; readonly text: string }
  /** The step is tried again: what its message said so far is withdrawn. */
  | { readonly type: "text.reset"; readonly messageId: MessageId }
  | {
      readonly type: "tool.started";
      readonly callId: string;
      readonly name: string;
      readonly input: string;
    }
  /** A sign of life from a running tool or check; carries no output. */
  | { readonly type: "tool.progress"; readonly callId: string; readonly bytes: number }
  | {
      readonly type: "tool.completed";
      readonly callId: string;
      readonly isError: boolean;
      readonly output: string;
      readonly truncated: boolean;
      readonly ms: number;
    }
  | {
      readonly type: "tool.denied";
      readonly callId: string;
      readonly name: string;
      readonly kind: DenialKind;
      readonly rule: string;
      readonly remedy: string;
    }
  /** The answer is there and is judged by a command of the user, for the `n`th time. */
  | { readonly type: "check.started"; readonly command: string; readonly n: number }
  | {
      readonly type: "check.completed";
      /** Null when it was ended by a signal, or could not be started. */
      readonly exitCode: number | null;
      readonly output: string;
      readonly truncated: boolean;
      readonly ms: number;
    }
  | { readonly type: "message.completed"; readonly messageId: MessageId; readonly text: string }
  | {
      readonly type: "step.completed";
      readonly usage: Usage;
      readonly finishReason: FinishReason;
    }
  /** The conversation fills the model's context: it is summarised. */
  | { readonly type: "summary.started"; readonly messageId: MessageId }
  | {
      readonly type: "summary.completed";
      readonly messageId: MessageId;
      readonly usage: Usage;
    }
  | {
      readonly type: "retry";
      readonly attempt: number;
      readonly max: number;
      readonly waitMs: number;
      readonly cause: string;
      readonly httpStatus: number | null;
    }
  | { readonly type: "warning"; readonly code: string; readonly message: string };

/** A turn event with its addressee. `runId` is null for a prompt that nobody waits for. */
export type RunEvent = TurnEvent & { readonly runId: RunId | null; readonly sessionId: SessionId };

/** The authoritative end of one run; exactly one per accepted RunId. */
export interface RunComplete {
  readonly type: "run_complete";
  readonly runId: RunId | null;
  readonly sessionId: SessionId;
  readonly messageId: MessageId | null;
  readonly text: string;
  readonly cancelled: boolean;
  /** Of a cancelled run: the client that asked for it, when it said so. */
  readonly cancelledBy?: string;
  readonly failure: RunFailure | null;
}

/** A message of a session came into being, changed, or is gone; whole, for clients that do not read deltas. */
export interface MessageEvent {
  readonly type: "message";
  readonly lifecycle: "created" | "updated" | "deleted";
  readonly runId: RunId | null;
  readonly sessionId: SessionId;
  readonly message: Message;
}

/** News about a session that is no verdict on a run. */
export interface AgentNotification {
  readonly type: "agent_notification";
  readonly kind: "agent_finished" | "re_authenticate";
  readonly runId: RunId | null;
  readonly sessionId: SessionId;
  readonly sessionTitle: string;
  /** Whose credentials are refused; null for other news. */
  readonly providerId: string | null;
}
