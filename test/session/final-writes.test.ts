import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { expect, test } from "vitest";
import { failure, RunFailed } from "../../src/protocol/ending.ts";
import type { Part } from "../../src/protocol/message.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { deferred } from "../../src/shared/deferred.ts";
import type { Store } from "../../src/store/store.ts";
import { dispatchHouse } from "../support/dispatch-house.ts";
import {
  callsTools,
  fails,
  fakeModel,
  finish,
  parts,
  says,
  stalls,
  type ModelStep,
} from "../support/fake-model.ts";
import { fakeTool } from "../support/fake-tool.ts";
import { turnSetup } from "../support/turn-setup.ts";

const finishes = (all: readonly Part[] | undefined): Part[] =>
  (all ?? []).filter(({ type }) => type === "finish");

test("RUN-7: what was buffered is stored and told before the terminal event", async () => {
  await using house = dispatchHouse();
  const owner = house.move({ steps: { p: [says("a", "b", "c")] } });
  const session = owner.session();
  const { runId } = owner.ask(session, "p");
  await owner.ended(runId);
  const told = owner.events.flatMap((event) => {
    if (event.type === "text.delta") return [event.text];
    if (event.type === "message" && event.lifecycle === "updated") return ["updated"];
    return event.type === "run_complete" ? ["terminal"] : [];
  });
  // "b" and "c" wait for the next batch, which the end of the message does not.
  expect(told).toEqual(["a", "bc", "updated", "terminal"]);
  expect(owner.store.messages.list(session).at(-1)?.parts[0]).toEqual({
    type: "text",
    text: "abc",
  });
});

test.each(["appendChunk", "finish"] as const)(
  "RUN-7, PER-10: a final flush that fails (%s) suppresses no terminal event",
  async (write) => {
    await using house = dispatchHouse();
    let writes = 0;
    const failing = (store: Store): Store => ({
      ...store,
      messages: {
        ...store.messages,
        [write]: (...args: never[]) => {
          writes += 1;
          // The first delta goes at once; the rest waits for the end.
          if (write === "appendChunk" && writes === 1) return;
          throw new RunFailed(failure("storage", `no room (${args.length})`));
        },
      },
    });
    const owner = house.move({ steps: { p: [says("a", "b")] }, wrap: failing });
    const session = owner.session();
    const { runId } = owner.ask(session, "p");
    expect((await owner.ended(runId)).failure?.reason).toBe("storage");
    await owner.dispatcher.shutdown();
    expect(owner.terminals(runId).length).toBe(1);
    expect(owner.dispatcher.record(runId)?.state).toBe("settled");
  },
);

test.each([
  ["cancelled", "canceled"],
  ["failed", "error"],
] as const)(
  "PER-9, PER-10: a run that is %s has its last words stored, although its signal has fired",
  async (how, mark) => {
    await using house = dispatchHouse();
    let fired = false;
    const talks: ModelStep = async function* talked(call, signal) {
      yield* parts({ type: "reasoning", text: "hm" }, { type: "text", text: "so " })(call, signal);
      yield { type: "text", text: "far" };
      if (how === "failed") yield* fails()(call, signal);
      signal.addEventListener("abort", () => {
        fired = true;
      });
      yield* stalls()(call, signal);
    };
    const owner = house.move({ steps: { p: [talks] } });
    const session = owner.session();
    const { runId } = owner.ask(session, "p");
    await owner.seen((event) => event.type === (how === "failed" ? "run_complete" : "text.delta"));
    owner.dispatcher.cancelSession(session, "by_client");
    await owner.ended(runId);
    expect(fired).toBe(how === "cancelled");
    expect(owner.store.messages.list(session).at(-1)?.parts).toMatchObject([
      { type: "reasoning", thinking: "hm", finishedAt: expect.any(Number) as number },
      { type: "text", text: "so far" },
      { type: "finish", reason: mark },
    ]);
  },
);

test("PER-21: a message has one finish part, the last that it was given", async () => {
  await using house = dispatchHouse();
  const running = deferred();
  const slow = fakeTool("slow", async (_input, { signal }) => {
    running.resolve();
    return await new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason as Error)),
    );
  });
  const owner = house.move({
    steps: { p: [callsTools({ name: "slow" })] },
    setup: { tools: [slow] },
  });
  const session = owner.session();
  const { runId } = owner.ask(session, "p");
  await running.promise;
  const answer = (): readonly Part[] | undefined =>
    owner.store.messages.list(session).find(({ role }) => role === "assistant")?.parts;
  expect(finishes(answer())).toMatchObject([{ reason: "tool_use" }]);
  owner.dispatcher.cancelSession(session, "by_client");
  await owner.ended(runId);
  expect(finishes(answer())).toMatchObject([{ reason: "canceled" }]);
});

test("RUN-11, ERR-2: a settled run stays as it was told, whatever its turn throws later", async () => {
  await using house = dispatchHouse();
  const late = deferred();
  const thrown = deferred();
  const stubborn: ModelStep = async function* ignoring() {
    yield { type: "text", text: "so far" };
    await late.promise;
    try {
      yield { type: "text", text: "too late" };
      yield finish();
    } finally {
      thrown.resolve();
    }
    throw new Error("after all that");
  };
  const owner = house.move({ steps: { p: [stubborn] } });
  const session = owner.session();
  const { runId } = owner.ask(session, "p", { options: { killAfterMs: 1 } });
  await owner.seen(({ type }) => type === "text.delta");
  owner.dispatcher.cancelSession(session, "by_client");
  const terminal = await owner.ended(runId);
  const [messages, events] = [owner.store.messages.list(session), owner.events.length];
  late.resolve();
  await thrown.promise;
  await owner.dispatcher.shutdown();
  expect(owner.terminals(runId)).toEqual([terminal]);
  expect(owner.events.length).toBe(events);
  expect(owner.store.messages.list(session)).toEqual(messages);
  expect(owner.dispatcher.record(runId)?.outcome).toMatchObject({ reason: "by_client" });
});

test("RUN-11: the listener of a terminal event that throws a cancel at the run changes nothing", async () => {
  await using house = dispatchHouse();
  const owner = house.move({
    onEvent: (event) => {
      if (event.type === "run_complete" && event.runId !== null)
        owner.dispatcher.cancelRun(event.runId, "by_client");
    },
  });
  const { runId } = owner.ask(owner.session(), "p");
  expect(await owner.ended(runId)).toMatchObject({ cancelled: false, text: "ok" });
  await owner.dispatcher.shutdown();
  expect(owner.terminals(runId).length).toBe(1);
});

test("PER-6: all writes of a cancelled turn wait for a locked store once, and then its end says so", async () => {
  await using house = dispatchHouse();
  const ready = deferred();
  const busyMs = 300;
  const owner = house.move({
    busyMs,
    prepare: async () => {
      await ready.promise;
      return turnSetup(fakeModel(says("never")));
    },
  });
  const session = owner.session();
  const { runId } = owner.ask(session, "p");
  owner.dispatcher.cancelSession(session, "by_client");
  const other = new DatabaseSync(join(house.directory, "crush-run.db"));
  other.exec("BEGIN IMMEDIATE");
  ready.resolve();
  const before = systemClock.monotonic();
  const terminal = await owner.ended(runId);
  const took = systemClock.monotonic() - before;
  other.exec("ROLLBACK");
  other.close();
  expect(terminal.failure).toMatchObject({
    reason: "by_client",
    message: expect.stringContaining("locked") as string,
  });
  expect(took).toBeGreaterThanOrEqual(busyMs);
  expect(took).toBeLessThan(3 * busyMs);
  await owner.dispatcher.shutdown();
  expect(owner.terminals(runId).length).toBe(1);
});
