import { expect, test } from "vitest";
import { newRunId, type RunId, type SessionId } from "../../src/protocol/ids.ts";
import { dispatchHouse, type Asked, type HouseOwner } from "../support/dispatch-house.ts";
import { callsTools, gated, says } from "../support/fake-model.ts";
import { fakeTool } from "../support/fake-tool.ts";
import { storageFailure, watchedStore } from "../support/watched-store.ts";

const NEVER = Number.POSITIVE_INFINITY;

/** Whatever may be refused because the store fails. */
const tried = <T>(work: () => T): T | null => {
  try {
    return work();
  } catch {
    return null;
  }
};

interface Faults {
  /** The calls of the store from this one on … */
  readonly from: number;
  /** … up to this one fail. */
  readonly to: number;
}

/** A run with tools, a fold, a cancelled prompt, a summary and a cancelled session, beside a second process. How many calls that took. */
async function life({ from, to }: Faults): Promise<number> {
  await using house = dispatchHouse();
  const gate = gated(callsTools({ name: "look" }));
  let calls = 0;
  let counts = false;
  const owner = house.move({
    steps: { long: [gate.step, callsTools({ name: "look" }), says("done")] },
    setup: { tools: [fakeTool("look")] },
    wrap: (store) =>
      watchedStore(store, () => {
        if (!counts) return;
        calls += 1;
        if (calls >= from && calls <= to) throw storageFailure();
      }),
  });
  const other = house.move();
  const accepted: { readonly at: HouseOwner; readonly runId: RunId }[] = [];
  const ask = (at: HouseOwner, session: SessionId, prompt: string, asked: Asked = {}): RunId => {
    const runId = newRunId();
    const got = tried(() => at.ask(session, prompt, { runId, ...asked }));
    if (got !== null && asked.runId !== null) accepted.push({ at, runId });
    return runId;
  };
  const [one, two] = [owner.session(), owner.session()];
  counts = true;
  ask(owner, one, "long");
  ask(owner, one, "joins", { runId: null });
  ask(other, one, "of another process");
  const dropped = ask(owner, one, "dropped");
  ask(owner, two, "before the summary");
  // The long one may have failed before it called the model.
  await Promise.race([gate.entered, owner.dispatcher.idle()]);
  tried(() => owner.dispatcher.cancelRun(dropped, "by_client"));
  gate.open();
  await Promise.race([
    owner.dispatcher.idle(),
    owner.seen(({ type }) => type === "tool.completed"),
  ]);
  const summary = owner.dispatcher.summarize(two).catch(() => null);
  ask(owner, two, "behind the summary");
  tried(() => owner.dispatcher.cancelSession(one, "by_client"));
  ask(owner, one, "after the cancel");
  await Promise.all([owner.dispatcher.idle(), other.dispatcher.idle(), summary]);
  counts = false;
  for (const session of [one, two]) ask(owner, session, "when all is well again");
  await Promise.all([owner.dispatcher.idle(), other.dispatcher.idle()]);
  for (const { at, runId } of accepted) {
    const told = at.terminals(runId).map(({ failure }) => failure?.reason ?? "end_turn");
    const { state, outcome } = other.store.runs.record(runId) ?? {};
    expect({ from, state, told }).toEqual({ from, state: "settled", told: [outcome?.reason] });
  }
  expect(other.store.runs.openSessions()).toEqual([]);
  return calls;
}

test.each([
  { name: "one call", length: 1 },
  { name: "two calls in a row", length: 2 },
  { name: "ten calls in a row", length: 10 },
])(
  "RUN-18, INV-1: whichever $name of the store fail, each accepted run ends once, as its record says, and its session goes on",
  { timeout: 120_000 },
  async ({ length }) => {
    const calls = await life({ from: NEVER, to: NEVER });
    expect(calls).toBeGreaterThan(100);
    const AT_ONCE = 8;
    for (let n = 1; n <= calls; n += AT_ONCE)
      await Promise.all(
        Array.from({ length: AT_ONCE }, async (_, k) => {
          await life({ from: n + k, to: n + k + length - 1 });
        }),
      );
  },
);
