import type { MessageId } from "../protocol/ids.ts";
import { textOf, type FinishReason, type Message, type Part } from "../protocol/message.ts";
import type { Conversation } from "./conversation.ts";
import type { StepResult } from "./model-step.ts";
import type { FinishMark } from "./turn-endings.ts";
import type { TurnPorts } from "./turn-ports.ts";

type Ports = Pick<TurnPorts, "sink" | "emit" | "clock">;

/** What a turn leaves in its conversation: each message whole, and shown to the model from then on. */
export class Transcript {
  readonly #ports: Ports;
  readonly #talk: Conversation;
  /** The last message of the model. */
  last: { readonly id: MessageId; readonly text: string } | null = null;

  constructor(talk: Conversation, ports: Ports) {
    this.#talk = talk;
    this.#ports = ports;
  }

  /** A step of the model has ended. */
  finish(
    id: MessageId,
    { parts, usage }: Pick<StepResult, "parts" | "usage">,
    reason: FinishReason,
    startedMs: number,
  ): void {
    const step = { startedMs, endedMs: this.#ports.clock.now(), usage };
    this.#add(id, parts, { type: "finish", reason, time: this.#seconds(), step });
  }

  /** What the model has answered by a call stands in a message of its own, as its last word. */
  addAnswer(text: string): void {
    const id = this.#ports.sink.open("assistant");
    const finish = { type: "finish", reason: "end_turn", time: this.#seconds() } as const;
    this.#add(id, [{ type: "text", text }], finish);
  }

  #add(id: MessageId, parts: readonly Part[], finish: Part): void {
    this.#talk.add(this.#ports.sink.finish(id, "assistant", [...parts, finish]));
    const text = textOf({ parts });
    this.last = { id, text };
    this.#ports.emit({ type: "message.completed", messageId: id, text });
  }

  addResults(results: readonly Part[]): void {
    if (results.length === 0) return;
    this.#talk.add(this.#stored("tool", [...results, STOP]));
  }

  /** Something that the user did not write, but that is to be done. */
  ask(text: string): void {
    this.addRequest([{ type: "text", text }, STOP]);
  }

  addRequest(parts: readonly Part[]): void {
    this.#talk.add(this.#stored("user", parts));
  }

  /** A message that will not be finished is closed with a mark, and is not shown to the model in this turn. */
  close(id: MessageId, parts: readonly Part[], mark: FinishMark): void {
    const time = this.#seconds();
    const closed = parts.map((part) =>
      part.type === "reasoning" && part.finishedAt === undefined
        ? { ...part, finishedAt: time }
        : part,
    );
    this.#ports.sink.finish(id, "assistant", [...closed, { type: "finish", time, ...mark }]);
  }

  #seconds(): number {
    return Math.floor(this.#ports.clock.now() / 1000);
  }

  #stored(role: "tool" | "user", parts: readonly Part[]): Message {
    return this.#ports.sink.finish(this.#ports.sink.open(role), role, parts);
  }
}

const STOP: Part = { type: "finish", reason: "stop", time: 0 };
