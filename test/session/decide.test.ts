import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Cancel } from "../../src/protocol/cancel.ts";
import type { Reason } from "../../src/protocol/ending.ts";
import {
  decide,
  type Command,
  type Effect,
  type PromptEntry,
  type SessionState,
} from "../../src/session/decide.ts";
import { DispatchWorld, type WorldStep } from "../support/dispatch-world.ts";

const IDLE: SessionState = { prompts: [], mark: null };

const entry = (
  seq: number,
  phase: PromptEntry["phase"],
  more: Partial<PromptEntry> = {},
): PromptEntry => ({ seq, phase, owner: "a", cancel: null, foldable: false, ...more });

const because = (reason: Reason): Cancel => ({ reason, by: null });

const state = (...prompts: PromptEntry[]): SessionState => ({ prompts, mark: null });

const effectsOf = (before: SessionState, command: Command, me = "a"): readonly Effect[] =>
  decide(before, command, me)[1];

test("CAN-1: a cancel of an idle session does nothing and leaves nothing behind", () => {
  expect(decide(IDLE, { type: "cancel", cancel: because("by_client") }, "a")).toEqual([IDLE, []]);
});

test("a ready prompt starts when the session is free", () => {
  expect(decide(state(entry(1, "reserved")), { type: "ready", seq: 1 }, "a")).toEqual([
    state(entry(1, "active")),
    [{ type: "start", seq: 1 }],
  ]);
});

test("a prompt that is ready before an earlier one waits for it", () => {
  const two = state(entry(1, "reserved"), entry(2, "reserved"));
  const [next, effects] = decide(two, { type: "ready", seq: 2 }, "a");
  expect(effects).toEqual([]);
  expect(next.prompts.map(({ phase }) => phase)).toEqual(["reserved", "queued"]);
});

test("CAN-3, CAN-5: a cancel of reserved prompts marks the last accepted one", () => {
  const two = state(entry(4, "reserved"), entry(7, "reserved"));
  const [next] = decide(two, { type: "cancel", cancel: because("by_client") }, "a");
  expect(next.mark).toEqual({ upTo: 7, reason: "by_client", by: null });
});

test("CAN-4: a second cancel changes nothing for what the first one covers", () => {
  const [once] = decide(
    state(entry(1, "reserved")),
    { type: "cancel", cancel: because("signal") },
    "a",
  );
  const [twice] = decide(once, { type: "cancel", cancel: because("by_client") }, "a");
  expect(twice).toEqual(once);
});

test("CAN-6: a later cancel extends the mark, which never sinks", () => {
  const marked: SessionState = {
    prompts: [entry(1, "reserved"), entry(3, "reserved")],
    mark: { upTo: 2, reason: "by_client", by: null },
  };
  const [raised] = decide(marked, { type: "cancel", cancel: because("by_client") }, "a");
  expect(raised.mark?.upTo).toBe(3);
  const [without] = decide(raised, { type: "finish", seq: 3 }, "a");
  const [again] = decide(without, { type: "cancel", cancel: because("by_client") }, "a");
  expect(again.mark?.upTo).toBe(3);
});

test("INV-14: a later cancel does not rewrite why an earlier one ended a prompt", () => {
  const [first] = decide(
    state(entry(1, "reserved")),
    { type: "cancel", cancel: because("signal") },
    "a",
  );
  const more: SessionState = { ...first, prompts: [...first.prompts, entry(2, "reserved")] };
  const [second] = decide(more, { type: "cancel", cancel: because("by_client") }, "a");
  const [rest, ended] = decide(second, { type: "ready", seq: 1 }, "a");
  const [, endedToo] = decide(rest, { type: "ready", seq: 2 }, "a");
  expect([...ended, ...endedToo]).toEqual([
    { type: "settle_cancelled", seq: 1, cancel: because("signal"), persist: true },
    { type: "settle_cancelled", seq: 2, cancel: because("by_client"), persist: true },
  ]);
});

test("CAN-10: a prompt accepted after the cancel runs, whatever order the three arrive in", () => {
  const orders = [
    [1, 2, 3],
    [1, 3, 2],
    [2, 1, 3],
    [2, 3, 1],
    [3, 1, 2],
    [3, 2, 1],
  ];
  for (const order of orders) {
    const [marked] = decide(
      state(entry(1, "reserved"), entry(2, "reserved")),
      { type: "cancel", cancel: because("by_client") },
      "a",
    );
    let now: SessionState = { ...marked, prompts: [...marked.prompts, entry(3, "reserved")] };
    const effects: Effect[] = [];
    for (const seq of order) {
      const [next, more] = decide(now, { type: "ready", seq }, "a");
      now = next;
      effects.push(...more);
    }
    expect(
      effects.map((effect) => `${effect.type} ${effect.seq}`).toSorted(),
      `order ${order.join()}`,
    ).toEqual(["settle_cancelled 1", "settle_cancelled 2", "start 3"]);
    expect(now).toEqual(state(entry(3, "active")));
  }
});

test("CAN-11: one cancel aborts the active run and marks the reserved follow-up", () => {
  const both = state(entry(1, "active"), entry(2, "reserved"));
  const [next, effects] = decide(both, { type: "cancel", cancel: because("by_client") }, "a");
  expect(effects).toContainEqual({ type: "abort", seq: 1, cancel: because("by_client") });
  expect(next.mark).toEqual({ upTo: 2, reason: "by_client", by: null });
});

test("CAN-12: a covered prompt of a busy session is cancelled, not queued", () => {
  const both = state(entry(1, "active"), entry(2, "reserved"));
  const [marked] = decide(both, { type: "cancel", cancel: because("by_client") }, "a");
  const [next, effects] = decide(marked, { type: "ready", seq: 2 }, "a");
  expect(effects).toEqual([
    { type: "settle_cancelled", seq: 2, cancel: because("by_client"), persist: true },
  ]);
  expect(next.prompts.map(({ seq }) => seq)).toEqual([1]);
});

test("PER-17: a covered prompt that waits in the queue ends without a trace in the history", () => {
  const both = state(entry(1, "active"), entry(2, "queued"));
  expect(effectsOf(both, { type: "cancel", cancel: because("by_client") })).toContainEqual({
    type: "settle_cancelled",
    seq: 2,
    cancel: because("by_client"),
    persist: false,
  });
});

test("CAN-17: a prompt that is accepted while a cancelled run winds down waits for it", () => {
  const [winding] = decide(
    state(entry(1, "active")),
    { type: "cancel", cancel: because("signal") },
    "a",
  );
  const more: SessionState = { ...winding, prompts: [...winding.prompts, entry(2, "reserved")] };
  const [next, effects] = decide(more, { type: "ready", seq: 2 }, "a");
  expect(effects).toEqual([]);
  const [after, started] = decide(next, { type: "finish", seq: 1 }, "a");
  expect(started).toEqual([{ type: "start", seq: 2 }]);
  expect(after.mark).toBeNull();
});

test("CAN-26: a cancelled prompt whose readiness fails is cancelled, an uncancelled one is left", () => {
  const reserved = state(entry(1, "reserved"));
  expect(decide(reserved, { type: "unready", seq: 1 }, "a")).toEqual([reserved, []]);
  const [marked] = decide(reserved, { type: "cancel", cancel: because("by_client") }, "a");
  expect(decide(marked, { type: "unready", seq: 1 }, "a")).toEqual([
    IDLE,
    [{ type: "settle_cancelled", seq: 1, cancel: because("by_client"), persist: true }],
  ]);
});

test("a cancel ends the readiness of our own prompts, and leaves those of others to their owner", () => {
  const two = state(entry(1, "reserved"), entry(2, "reserved", { owner: "b" }));
  expect(effectsOf(two, { type: "cancel", cancel: because("by_client") })).toEqual([
    { type: "abort", seq: 1, cancel: because("by_client") },
  ]);
});

test("the head of another owner holds the slot for that owner", () => {
  const two = state(entry(1, "queued", { owner: "b" }), entry(2, "reserved"));
  expect(effectsOf(two, { type: "ready", seq: 2 })).toEqual([]);
  expect(effectsOf(two, { type: "look", dead: new Set() }, "b")).toEqual([
    { type: "start", seq: 1 },
  ]);
});

test("the prompts of a dead owner are interrupted, and the next one of a living owner starts", () => {
  const three = state(
    entry(1, "active", { owner: "b" }),
    entry(2, "reserved", { owner: "b" }),
    entry(3, "queued"),
  );
  expect(decide(three, { type: "look", dead: new Set(["b"]) }, "a")).toEqual([
    state(entry(3, "active")),
    [
      { type: "settle_interrupted", seq: 1 },
      { type: "settle_interrupted", seq: 2 },
      { type: "start", seq: 3 },
    ],
  ]);
});

test("a look that finds nothing new returns the very state it was given", () => {
  const busy = state(entry(1, "active"), entry(2, "queued", { owner: "b" }));
  expect(decide(busy, { type: "look", dead: new Set() }, "a")[0]).toBe(busy);
});

const OWNERS = ["a", "b", "c"];
const owner = fc.constantFrom(...OWNERS);
const pick = fc.nat(20);
const reason = fc.constantFrom<Reason>("by_client", "signal", "reader_left");
const script = fc.array(
  fc.oneof<fc.Arbitrary<WorldStep>[]>(
    fc.record({ do: fc.constant("accept" as const), owner, foldable: fc.boolean() }),
    fc.record({ do: fc.constant("drain" as const) }),
    fc.record({ do: fc.constant("clear" as const), owner }),
    fc.record({ do: fc.constantFrom("ready" as const, "finish" as const), pick }),
    fc.record({ do: fc.constantFrom("ready" as const, "unready" as const), pick }),
    fc.record({ do: fc.constant("cancel" as const), owner, reason }),
    fc.record({ do: fc.constant("cancel_one" as const), owner, pick, reason }),
    fc.record({ do: fc.constantFrom("look" as const, "die" as const), owner }),
  ),
  { maxLength: 40 },
);

test("P-1: with any commands of any owners, cancels end exactly the prompts accepted before them", () => {
  fc.assert(
    fc.property(script, (steps) => {
      const world = new DispatchWorld();
      for (const step of steps) world.run(step);
      expect(world.broken).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});

test("INV-22: when everything has ended, every prompt has left exactly once and no mark is left", () => {
  fc.assert(
    fc.property(script, (steps) => {
      const world = new DispatchWorld();
      for (const step of steps) world.run(step);
      world.quiesce(OWNERS);
      if (world.dead.size === OWNERS.length) return;
      expect(world.broken).toEqual([]);
      expect(world.all.map(({ left }) => left)).toEqual(world.all.map(() => 1));
      expect(world.state).toEqual(IDLE);
    }),
    { numRuns: 500 },
  );
});
