import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { orAborted } from "../../src/shared/or-aborted.ts";
import { childScope } from "../../src/shared/scope.ts";

const REASON = new Error("enough");

test("a scope fires with its parent, with the parent's reason", () => {
  const parent = new AbortController();
  using scope = childScope(parent.signal);
  parent.abort(REASON);
  expect(scope.signal.reason).toBe(REASON);
  using late = childScope(parent.signal);
  expect(late.signal.reason).toBe(REASON);
});

test("a scope that fires by itself leaves its parent alone", () => {
  const parent = new AbortController();
  using scope = childScope(parent.signal);
  scope.abort(REASON);
  expect(scope.signal.reason).toBe(REASON);
  expect(parent.signal.aborted).toBe(false);
});

test("a scope that ended has fired and leaves no listener on its parent", () => {
  const parent = new AbortController();
  let signal: AbortSignal | null = null;
  for (let n = 0; n < 100; n += 1) {
    using scope = childScope(parent.signal);
    ({ signal } = scope);
    expect(getEventListeners(parent.signal, "abort")).toHaveLength(1);
  }
  expect(signal?.aborted).toBe(true);
  expect(getEventListeners(parent.signal, "abort")).toHaveLength(0);
});

test("waiting ends with the result, with the failure, or with the reason of the abort", async () => {
  const { signal } = new AbortController();
  expect(await orAborted(Promise.resolve(1), signal)).toBe(1);
  await expect(orAborted(Promise.reject(new Error("no")), signal)).rejects.toThrow("no");
  const never = new Promise<never>(() => {});
  await expect(orAborted(never, AbortSignal.abort(REASON))).rejects.toBe(REASON);
  const later = new AbortController();
  const waiting = orAborted(never, later.signal);
  later.abort(REASON);
  await expect(waiting).rejects.toBe(REASON);
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
  expect(getEventListeners(later.signal, "abort")).toHaveLength(0);
});

test("a deferred is settled from outside, once", async () => {
  const { promise, resolve, reject } = deferred<number>();
  resolve(1);
  reject(REASON);
  expect(await promise).toBe(1);
});

test("a sleep lasts its time and ends early with the reason of the abort", async () => {
  const { signal } = new AbortController();
  const start = systemClock.monotonic();
  await systemClock.sleep(20, signal);
  expect(systemClock.monotonic() - start).toBeGreaterThanOrEqual(19);
  await expect(systemClock.sleep(60_000, AbortSignal.abort(REASON))).rejects.toBe(REASON);
  const later = new AbortController();
  const sleeping = systemClock.sleep(60_000, later.signal);
  later.abort(REASON);
  await expect(sleeping).rejects.toBe(REASON);
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
});
