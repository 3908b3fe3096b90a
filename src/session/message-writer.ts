import type { MessageSink } from "../agent/message-sink.ts";
import { newMessageId, type MessageId, type SessionId } from "../protocol/ids.ts";
import type { Message, Part, Role } from "../protocol/message.ts";
import type { MessageEvent, TurnEvent } from "../protocol/run-event.ts";
import type { Clock } from "../shared/clock.ts";
import type { Store } from "../store/store.ts";

export interface WriterOptions {
  readonly store: Pick<Store, "messages" | "sessions" | "transaction">;
  readonly clock: Clock;
  readonly sessionId: SessionId;
  /** Accept sequence of the prompt. */
  readonly turn: number;
  readonly model: string;
  readonly provider: string;
  readonly emit: (event: TurnEvent) => void;
  /** A message came into being, has its whole content, or is gone. */
  readonly onMessage: (lifecycle: MessageEvent["lifecycle"], message: Message) => void;
  /** A batch could not be stored; the turn cannot go on. */
  readonly onFailure: (error: unknown) => void;
}

/** Deltas of this time go into one event and one row. The first of a pause goes at once. */
const BATCH_MS = 33;
/** A batch of this size does not wait. */
const BATCH_CHARS = 64 * 1024;

/**
 * The messages of one turn on their way into the store and onto the event stream. What is streamed is stored in
 * batches as it comes, so that a killed process leaves a readable session.
 */
export function messageWriter(options: WriterOptions): MessageSink & Disposable {
  const { store, clock, sessionId, turn, emit } = options;
  const seconds = (): number => Math.floor(clock.now() / 1000);
  let pending: { id: MessageId; kind: "text" | "reasoning"; text: string } | null = null;
  let timer: NodeJS.Timeout | null = null;
  /** Whose model need not be that of the turn. */
  const summaries = new Map<MessageId, { readonly modelId: string; readonly providerId: string }>();
  /** When each message came into being, in Unix seconds. */
  const births = new Map<MessageId, number>();

  /** Half of a character waits for its other half, unless this is all there is. */
  const write = (all: boolean): void => {
    if (pending === null) return;
    const { id, kind } = pending;
    const cut = all || !endsInHalf(pending.text) ? pending.text.length : pending.text.length - 1;
    const text = pending.text.slice(0, cut);
    pending = cut === pending.text.length ? null : { id, kind, text: pending.text.slice(cut) };
    if (text === "") return;
    store.messages.appendChunk(id, kind, text);
    if (summaries.has(id)) return; // for whoever asks, but no answer to anybody
    const type = kind === "text" ? "text.delta" : "reasoning.delta";
    emit({ type, messageId: id, text });
  };
  const onTimer = (): void => {
    timer = null;
    if (pending === null) return;
    try {
      write(false);
      timer = setTimeout(onTimer, BATCH_MS);
    } catch (error) {
      options.onFailure(error);
    }
  };
  const stop = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
  };

  const messageOf = (id: MessageId, role: Role, parts: readonly Part[]): Message => {
    const now = seconds();
    const { modelId = options.model, providerId = options.provider } = summaries.get(id) ?? {};
    const ofModel = role === "assistant";
    return {
      id,
      sessionId,
      role,
      parts,
      model: ofModel ? modelId : "",
      provider: ofModel ? providerId : "",
      createdAt: births.get(id) ?? now,
      updatedAt: now,
      ...(summaries.has(id) ? { isSummary: true } : {}),
    };
  };
  const opened = (id: MessageId, role: Role): MessageId => {
    const message = messageOf(id, role, []);
    births.set(id, message.createdAt);
    store.messages.insert({ ...message, turn, now: message.createdAt });
    options.onMessage("created", message);
    return id;
  };
  const finished = (id: MessageId, role: Role, parts: readonly Part[]): Message => {
    const message = messageOf(id, role, parts);
    store.messages.finish(id, parts, message.updatedAt);
    return message;
  };

  return {
    open: (role) => opened(newMessageId(), role),
    openSummary: (by) => {
      const id = newMessageId();
      summaries.set(id, by);
      return opened(id, "assistant");
    },
    append: (id, kind, text) => {
      if (text === "") return;
      if (pending !== null && (pending.kind !== kind || pending.id !== id)) write(true);
      if (pending === null) pending = { id, kind, text };
      else pending.text += text;
      if (timer === null) {
        write(false);
        timer = setTimeout(onTimer, BATCH_MS);
      } else if (pending.text.length >= BATCH_CHARS) write(false);
    },
    reset: (id) => {
      stop();
      pending = null;
      store.messages.dropChunks(id);
    },
    finish: (id, role, parts) => {
      stop();
      write(true);
      const message = finished(id, role, parts);
      options.onMessage("updated", message);
      return message;
    },
    finishSummary: (id, parts) => {
      stop();
      write(true);
      const message = store.transaction(() => {
        store.sessions.setSummary(sessionId, id);
        return finished(id, "assistant", parts);
      });
      options.onMessage("updated", message);
      return message;
    },
    remove: (id) => {
      stop();
      pending = null;
      store.messages.remove(id);
      options.onMessage("deleted", messageOf(id, "assistant", []));
    },
    [Symbol.dispose]: stop,
  };
}

/** Whether the last unit of the text is the first half of a character that needs two. */
function endsInHalf(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}
