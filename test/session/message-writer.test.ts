import { expect, onTestFinished, test, vi } from "vitest";
import { failure, RunFailed } from "../../src/protocol/ending.ts";
import type { MessageId, SessionId } from "../../src/protocol/ids.ts";
import type { Message } from "../../src/protocol/message.ts";
import type { TurnEvent } from "../../src/protocol/run-event.ts";
import { messageWriter } from "../../src/session/message-writer.ts";
import type { Messages } from "../../src/store/messages.ts";
import type { Store } from "../../src/store/store.ts";
import { handClock } from "../support/hand-clock.ts";

const m1 = "m1" as MessageId;

function writing() {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const stored: string[] = [];
  const events: TurnEvent[] = [];
  const failures: unknown[] = [];
  const told: { lifecycle: string; message: Message }[] = [];
  const clock = handClock();
  let full = false;
  const note = (text: string): void => {
    if (full) throw new RunFailed(failure("storage", "full"));
    stored.push(text);
  };
  const messages: Pick<Messages, "insert" | "appendChunk" | "dropChunks" | "finish"> = {
    insert: ({ role, model }) => note(`insert ${role} ${model}`),
    appendChunk: (_id, kind, text) => note(`${kind} ${text}`),
    dropChunks: () => note("drop"),
    finish: (_id, parts) => note(`finish ${parts.length}`),
  };
  const writer = messageWriter({
    store: { messages: messages as Messages } as Store,
    clock,
    sessionId: "s" as SessionId,
    turn: 1,
    model: "one",
    provider: "fake",
    emit: (event) => events.push(event),
    onMessage: (lifecycle, message) => told.push({ lifecycle, message }),
    onFailure: (error) => failures.push(error),
  });
  const deltas = (): string[] =>
    events.flatMap((event) => (event.type === "text.delta" ? [event.text] : []));
  return {
    writer,
    clock,
    told,
    stored,
    events,
    failures,
    deltas,
    fill: () => {
      full = true;
    },
  };
}

test("the first delta goes at once, those of the next 33 ms go together, stored before they are told", () => {
  const { writer, stored, deltas } = writing();
  for (const text of ["a", "b", "c"]) writer.append(m1, "text", text);
  expect(deltas()).toEqual(["a"]);
  vi.advanceTimersByTime(33);
  expect(deltas()).toEqual(["a", "bc"]);
  expect(stored).toEqual(["text a", "text bc"]);
});

test("after a pause the next delta goes at once again", () => {
  const { writer, deltas } = writing();
  writer.append(m1, "text", "a");
  vi.advanceTimersByTime(100);
  writer.append(m1, "text", "b");
  expect(deltas()).toEqual(["a", "b"]);
});

test("a large batch does not wait", () => {
  const { writer, deltas } = writing();
  writer.append(m1, "text", "a");
  writer.append(m1, "text", "x".repeat(64 * 1024));
  expect(deltas().length).toBe(2);
});

test("reasoning and text are told apart, and in order", () => {
  const { writer, stored } = writing();
  writer.append(m1, "reasoning", "a");
  writer.append(m1, "reasoning", "b");
  writer.append(m1, "text", "c");
  writer.append(m1, "text", "d");
  writer.finish(m1, "assistant", []);
  expect(stored).toEqual(["reasoning a", "reasoning b", "text cd", "finish 0"]);
});

test("a finish writes what waits, then the message", () => {
  const { writer, stored } = writing();
  writer.append(m1, "text", "a");
  writer.append(m1, "text", "b");
  const parts = [{ type: "text", text: "ab" }] as const;
  expect(writer.finish(m1, "assistant", parts)).toMatchObject({ id: m1, model: "one", parts });
  expect(stored).toEqual(["text a", "text b", "finish 1"]);
  vi.advanceTimersByTime(100);
  expect(stored.length).toBe(3);
});

test("a reset drops what waits and what was stored", () => {
  const { writer, stored, deltas } = writing();
  writer.append(m1, "text", "a");
  writer.append(m1, "text", "never");
  writer.reset(m1);
  vi.advanceTimersByTime(100);
  expect(deltas()).toEqual(["a"]);
  expect(stored).toEqual(["text a", "drop"]);
});

test("CLI-30: a character that comes in two halves is stored and told as one", () => {
  const { writer, stored, deltas } = writing();
  const [high, low] = ["\ud83d", "\ude42"];
  writer.append(m1, "text", `a${high}`);
  expect(deltas()).toEqual(["a"]);
  vi.advanceTimersByTime(33);
  writer.append(m1, "text", `${low}b${high}`);
  vi.advanceTimersByTime(33);
  writer.append(m1, "text", low);
  writer.finish(m1, "assistant", []);
  expect(deltas()).toEqual(["a", "🙂b", "🙂"]);
  expect(stored).toEqual(["text a", "text 🙂b", "text 🙂", "finish 0"]);
});

test("half a character that stays alone is not lost", () => {
  const { writer, deltas } = writing();
  writer.append(m1, "text", "a\ud83d");
  writer.finish(m1, "assistant", []);
  expect(deltas().join("")).toBe("a\ud83d");
});

test("only messages of a model name it", () => {
  const { writer, stored } = writing();
  writer.open("assistant");
  writer.open("tool");
  expect(stored).toEqual(["insert assistant one", "insert tool "]);
});

test("a batch that cannot be stored is reported once, and is not told", () => {
  const { writer, failures, deltas, fill } = writing();
  writer.append(m1, "text", "a");
  writer.append(m1, "text", "b");
  fill();
  vi.advanceTimersByTime(200);
  expect(failures).toMatchObject([{ failure: { reason: "storage" } }]);
  expect(deltas()).toEqual(["a"]);
});

test("a writer that is disposed writes nothing any more", () => {
  const { writer, deltas } = writing();
  writer.append(m1, "text", "a");
  writer.append(m1, "text", "b");
  writer[Symbol.dispose]();
  vi.advanceTimersByTime(100);
  expect(deltas()).toEqual(["a"]);
});

test("a message is told of when it comes into being and when it is whole, and keeps the time of its creation", () => {
  const { writer, clock, told } = writing();
  const id = writer.open("assistant");
  const born = told[0]?.message.createdAt;
  clock.advance(5_000);
  writer.finish(id, "assistant", [{ type: "text", text: "hi" }]);
  expect(told).toMatchObject([
    { lifecycle: "created", message: { id, parts: [], createdAt: born, updatedAt: born } },
    {
      lifecycle: "updated",
      message: { id, parts: [{ text: "hi" }], createdAt: born, updatedAt: (born ?? 0) + 5 },
    },
  ]);
});
