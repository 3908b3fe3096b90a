import { getEventListeners } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { childScope } from "../../src/shared/scope.ts";

test("a scope that ends leaves no listener on its parent, also when memory was collected meanwhile", async () => {
  const parent = new AbortController();
  const [disposed, aborted] = [childScope(parent.signal), childScope(parent.signal)];
  expect(getEventListeners(parent.signal, "abort").length).toBe(2);
  // What Node holds weakly is held until the next turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  disposed[Symbol.dispose]();
  aborted.abort("enough");
  expect(getEventListeners(parent.signal, "abort")).toEqual([]);
  expect(aborted.signal.reason).toBe("enough");
});

test("a scope fires with its parent, for the same reason, and once", () => {
  const parent = new AbortController();
  const early = childScope(parent.signal);
  const reasons: unknown[] = [];
  early.signal.addEventListener("abort", () => reasons.push(early.signal.reason));
  parent.abort("all of you");
  early[Symbol.dispose]();
  early.abort("late");
  const late = childScope(parent.signal);
  expect(reasons).toEqual(["all of you"]);
  expect(late.signal.reason).toBe("all of you");
});

function collect(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}
