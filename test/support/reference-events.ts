import type { WireEvent } from "../../src/protocol/event-wire.ts";
import { failure } from "../../src/protocol/ending.ts";
import type { MessageId, RunId, SessionId } from "../../src/protocol/ids.ts";
import type { Message, Part, Role } from "../../src/protocol/message.ts";
import type { MessageEvent, RunComplete } from "../../src/protocol/run-event.ts";
import {
  followReferenceStream,
  stepReference,
  type ReferenceEffect,
  type ReferenceStream,
} from "../../src/run/reference-stream.ts";
import type { TextMode } from "../../src/run/run-stream.ts";

export const mine = "mine" as RunId;
export const theirs = "theirs" as RunId;
export const here = "here" as SessionId;
export const elsewhere = "elsewhere" as SessionId;

export interface Said {
  readonly id?: string;
  readonly runId?: RunId | null;
  readonly sessionId?: SessionId;
  readonly role?: Role;
  readonly parts?: readonly Part[];
}

/** What a server without deltas says of a message: the whole of it. */
export function whole(text: string, said: Said = {}): MessageEvent {
  const { id = "m1", runId = null, sessionId = here, role = "assistant" } = said;
  const message: Message = {
    id: id as MessageId,
    sessionId,
    role,
    parts: said.parts ?? [{ type: "text", text }],
    model: "m",
    provider: "p",
    createdAt: 1,
    updatedAt: 1,
  };
  return { type: "message", lifecycle: "updated", runId, sessionId, message };
}

export const terminal = (
  text: string,
  more: Partial<Omit<RunComplete, "failure">> & { readonly error?: string } = {},
): RunComplete => {
  const { error, ...fields } = more;
  return {
    type: "run_complete",
    runId: mine,
    sessionId: here,
    messageId: "m1" as MessageId,
    text,
    cancelled: false,
    failure: error === undefined ? null : failure("provider_error", error),
    ...fields,
  };
};

export const errorEvent = (
  runId: RunId | null,
  sessionId: string = here,
  error = "boom",
): WireEvent => ({ type: "agent_error", runId, sessionId, error });

export interface Followed {
  readonly state: ReferenceStream;
  readonly output: string;
  readonly end: Extract<ReferenceEffect, { type: "end" }> | null;
  readonly spins: number;
  readonly deadlines: number;
}

/** `runId` null: the run is told by its session. */
export function followAll(
  runId: RunId | null,
  events: readonly WireEvent[],
  mode: TextMode = "live",
): Followed {
  let seen: Followed = {
    state: followReferenceStream(runId, here, mode),
    output: "",
    end: null,
    spins: 0,
    deadlines: 0,
  };
  for (const event of events) seen = took(seen, stepReference(seen.state, event));
  return seen;
}

export function took(
  seen: Followed,
  [state, effects]: readonly [ReferenceStream, readonly ReferenceEffect[]],
): Followed {
  let { output, end, spins, deadlines } = seen;
  for (const effect of effects)
    if (effect.type === "print") output += effect.text;
    else if (effect.type === "stop_spinner") spins += 1;
    else if (effect.type === "deadline") deadlines += 1;
    else if (end === null) end = effect;
    else throw new Error("a run ends once");
  return { state, output, end, spins, deadlines };
}
