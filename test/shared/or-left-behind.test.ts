import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { orLeftBehind } from "../../src/shared/or-left-behind.ts";

const never = new Promise<never>(() => {});
const why = new Error("enough");

test("what ends before an abort is the result, and nothing is left on the signal", async () => {
  const { signal } = new AbortController();
  expect(await orLeftBehind(Promise.resolve(1), 1, signal)).toBe(1);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("what obeys an abort within its grace is the result", async () => {
  const abort = new AbortController();
  const obeys = new Promise((resolve) => {
    abort.signal.addEventListener("abort", () => resolve("obeyed"), { once: true });
  });
  const waiting = orLeftBehind(obeys, 60_000, abort.signal);
  abort.abort(why);
  expect(await waiting).toBe("obeyed");
});

test("what does not is left behind with the signal's reason", async () => {
  const abort = new AbortController();
  const waiting = orLeftBehind(never, 5, abort.signal);
  abort.abort(why);
  await expect(waiting).rejects.toBe(why);
  expect(getEventListeners(abort.signal, "abort")).toEqual([]);
});

test("a signal that fired before has the same grace", async () => {
  await expect(orLeftBehind(never, 5, AbortSignal.abort(why))).rejects.toBe(why);
  expect(await orLeftBehind(Promise.resolve(1), 5, AbortSignal.abort(why))).toBe(1);
});

test("the late failure of what was left behind is nobody's", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  let fail = (_reason: unknown): void => {};
  const late = new Promise<never>((_, reject) => {
    fail = reject;
  });
  await expect(orLeftBehind(late, 1, AbortSignal.abort(why))).rejects.toBe(why);
  fail(new Error("late"));
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});
