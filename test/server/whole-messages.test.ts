import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { WireEvent } from "../../src/protocol/event-wire.ts";
import { textOf, type Part } from "../../src/protocol/message.ts";
import type { MessageEvent } from "../../src/protocol/run-event.ts";
import { wholeMessageView } from "../../src/server/whole-messages.ts";
import { END, runWords, textPart } from "../support/log-events.ts";
import { eventLog, eventsIn, readAll, subscribe } from "../support/read-stream.ts";

const { delta, does, thought, reset, opened, finished, deleted, ended } = runWords();
const RESULT: Part = {
  type: "tool_result",
  toolCallId: "c",
  name: "ls",
  content: "a",
  isError: false,
  metadata: "",
};

/** What a reader without deltas gets that reads after each event. */
function told(...events: WireEvent[]): WireEvent[] {
  const view = wholeMessageView(new Map());
  return events.flatMap((event) => [...view.next(event), ...view.flush()]);
}

/** Of messages: what happened, and their parts. */
const changes = (events: readonly WireEvent[]): unknown[] =>
  events.map((event) =>
    event.type === "message" ? [event.lifecycle, event.message.parts] : event.type,
  );

test("a message is created, then told whole at each change, then finished; the events of the run are not told", () => {
  const whole = [{ type: "reasoning", thinking: "hm!" } as const, textPart("Hello"), END];
  const events = told(
    opened(),
    does({ type: "step.started", n: 1, model: "m", messageId: opened().message.id }),
    thought("hm"),
    thought("!"),
    delta("Hel"),
    delta("lo"),
    finished(whole),
    does({ type: "message.completed", messageId: opened().message.id, text: "Hello" }),
    ended("Hello"),
  );
  const reasoned = { type: "reasoning", thinking: "hm!" };
  expect(changes(events)).toEqual([
    ["created", []],
    ["updated", [{ type: "reasoning", thinking: "hm" }]],
    ["updated", [reasoned]],
    ["updated", [reasoned, textPart("Hel")]],
    ["updated", [reasoned, textPart("Hello")]],
    ["updated", whole],
    "run_complete",
  ]);
  expect(events[1]).toEqual({
    ...opened(),
    lifecycle: "updated",
    message: { ...opened().message, parts: [{ type: "reasoning", thinking: "hm" }] },
  });
});

test("a step that is tried again withdraws what its message said", () => {
  expect(changes(told(opened(), delta("no"), reset(), delta("yes")))).toEqual([
    ["created", []],
    ["updated", [textPart("no")]],
    ["updated", []],
    ["updated", [textPart("yes")]],
  ]);
});

test("tool results come into being as one finished message", () => {
  const results = [RESULT, END];
  expect(told(opened("t", "tool"), finished(results, "t", "tool"))).toEqual([
    { ...finished(results, "t", "tool"), lifecycle: "created" },
  ]);
});

test("a message that is taken back is told once, and is not written any more", () => {
  expect(changes(told(opened(), deleted(), delta("x")))).toEqual([
    ["created", []],
    ["deleted", []],
  ]);
  expect(told(opened("t", "tool"), deleted("t", "tool"))).toEqual([]);
});

test("a user message, a notification and an error are told as they are", () => {
  const events: WireEvent[] = [
    finished([textPart("hi"), END], "u", "user"),
    { type: "agent_error", runId: "r", sessionId: "s", error: "boom" },
    {
      type: "agent_notification",
      kind: "agent_finished",
      runId: null,
      sessionId: opened().sessionId,
      sessionTitle: "t",
      providerId: null,
    },
    { type: "gap" },
  ];
  expect(told(...events)).toEqual(events);
});

test("who lags gets the latest state of a message, before the end of its run", () => {
  const other = runWords("other", "s2");
  const view = wholeMessageView(new Map());
  const events = [opened(), delta("a"), other.opened("o"), other.delta("x", "o"), delta("b")];
  expect(events.flatMap((event) => view.next(event))).toEqual([opened(), other.opened("o")]);
  expect(view.isBehind()).toBe(true);
  expect(changes(view.next(ended()))).toEqual([
    ["updated", [textPart("ab")]],
    ["updated", [textPart("x")]],
    "run_complete",
  ]);
  expect(view.isBehind()).toBe(false);
  expect(view.flush()).toEqual([]);
});

test("an id stands only where everything before it was told", async () => {
  const log = eventLog();
  for (const event of [
    opened(),
    delta("a"),
    finished([textPart("hi"), END], "u", "user"),
    delta("b"),
  ])
    log.append(event);
  const { value } = await subscribe(log, { deltas: false }).next();
  const frames = String(value).trim().split("\n\n");
  expect(frames.map((frame) => /^id: (\d+)/.exec(frame)?.[1])).toEqual(["1", undefined, "4"]);
  expect(changes(eventsIn(String(value)))).toEqual([
    ["created", []],
    ["updated", [textPart("hi"), END]],
    ["updated", [textPart("ab")]],
  ]);
});

test("W-2: what comes before a terminal event has not its id: who breaks off between them is told the end again", async () => {
  const log = eventLog();
  for (const event of [opened(), delta("a"), ended("a")]) log.append(event);
  const { value } = await subscribe(log, { deltas: false }).next();
  const frames = String(value).trim().split("\n\n");
  expect(frames.map((frame) => /^id: (\d+)/.exec(frame)?.[1])).toEqual(["1", undefined, "3"]);
  expect(changes(eventsIn(frames.at(-1) ?? ""))).toEqual(["run_complete"]);
});

test("who comes in the middle of a message, or lagged over its beginning, gets it whole", async () => {
  for (const keepChars of [1_000_000, 200]) {
    const log = eventLog({ keepChars });
    const lagging = subscribe(log, { deltas: false });
    log.append(opened());
    await lagging.next();
    for (const text of ["a", "b", "c"]) log.append(delta(text));
    const late = subscribe(log, { deltas: false, after: log.head() });
    const waiting = late.next();
    log.append(delta("d"));
    const now = [textPart("abcd")];
    expect(changes(eventsIn(String((await waiting).value)))).toEqual([["updated", now]]);
    const gap = keepChars === 200 ? ["gap"] : [];
    expect(changes(eventsIn(String((await lagging.next()).value)))).toEqual([
      ...gap,
      ["updated", now],
    ]);
  }
});

/** A script of one run: what is written into its messages, one after the other. */
const script = fc.array(
  fc.record({
    kind: fc.constantFrom("delta" as const, "thought" as const, "reset" as const, "next" as const),
    text: fc.string({ minLength: 1, maxLength: 3 }),
  }),
  { maxLength: 30 },
);

function play(run: string, steps: readonly { kind: string; text: string }[]): WireEvent[] {
  const words = runWords(run, `session of ${run}`);
  let n = 0;
  let text = "";
  const events: WireEvent[] = [words.opened(`${run}-0`)];
  const close = (): void => {
    events.push(words.finished([textPart(text), END], `${run}-${n}`));
    text = "";
    n += 1;
  };
  for (const step of steps) {
    const id = `${run}-${n}`;
    if (step.kind === "delta") {
      text += step.text;
      events.push(words.delta(step.text, id));
    } else if (step.kind === "thought") events.push(words.thought(step.text, id));
    else if (step.kind === "reset") {
      text = "";
      events.push(words.reset(id));
    } else {
      close();
      events.push(words.opened(`${run}-${n}`));
    }
  }
  close();
  events.push(words.ended(text));
  return events;
}

test("SSE-13: of interleaved runs each is told in its order, and every message as it was written, however much is read at once", async () => {
  await fc.assert(
    fc.asyncProperty(
      script,
      script,
      fc.array(fc.boolean(), { maxLength: 80 }),
      fc.array(fc.nat(4), { maxLength: 80 }),
      async (first, second, order, pauses) => {
        const sources = [play("1", first), play("2", second)];
        const log = eventLog();
        const stream = subscribe(log, { deltas: false });
        let seen: WireEvent[] = [];
        const logged: WireEvent[] = [];
        for (let n = 0; ; n += 1) {
          const open = sources.filter((source) => source.length > 0);
          const event = (order[n] === true ? open.at(-1) : open[0])?.shift();
          if (event === undefined) break;
          log.append(event);
          logged.push(event);
          // Now and then the reader reads; it is asked only when something is surely due.
          if (pauses[n] === 0 && event.type === "text.delta")
            seen = [...seen, ...eventsIn(String((await stream.next()).value))];
        }
        log.close();
        seen = [...seen, ...eventsIn(await readAll(stream))];
        for (const run of ["1", "2"]) {
          const mine = seen.filter((event) => "runId" in event && event.runId === run);
          const whole = logged.filter(
            (event): event is MessageEvent => event.type === "message" && event.runId === run,
          );
          // Of each message: created first, its finished state last, what is between a state that it had.
          expect(mine.at(-1)?.type).toBe("run_complete");
          const messages = mine.filter((event) => event.type === "message");
          expect(endings(messages)).toEqual(endings(whole));
          for (const { message, lifecycle } of messages) {
            if (lifecycle === "created" || isFinished(message.parts)) continue;
            expect(statesOf(logged, message.id)).toContain(textOf(message));
          }
          const ids = messages.map(({ message }) => message.id);
          expect(ids).toEqual(ids.toSorted((a, b) => Number(a.slice(2)) - Number(b.slice(2))));
        }
      },
    ),
  );
});

const isFinished = (parts: readonly Part[]): boolean => parts.some(({ type }) => type === "finish");

const endings = (messages: readonly MessageEvent[]): string[] =>
  messages.filter(({ message }) => isFinished(message.parts)).map(({ message }) => textOf(message));

/** Every text that a message had on its way, by the deltas alone. */
function statesOf(logged: readonly WireEvent[], id: string): string[] {
  const states = [""];
  for (const event of logged) {
    if (!("messageId" in event) || event.messageId !== id) continue;
    if (event.type === "text.delta") states.push((states.at(-1) ?? "") + event.text);
    if (event.type === "text.reset") states.push("");
  }
  return states;
}
