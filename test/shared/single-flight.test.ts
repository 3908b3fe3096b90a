import { expect, test } from "vitest";
import { deferred } from "../../src/shared/deferred.ts";
import { orAborted } from "../../src/shared/or-aborted.ts";
import { singleFlight } from "../../src/shared/single-flight.ts";

/** Work that ends when it is told to, and what became of each time that it was done. */
function flights() {
  const begun: { readonly end: (what: string) => void; readonly signal: AbortSignal }[] = [];
  const ask = singleFlight(async (signal) => {
    const { promise, resolve } = deferred<string>();
    begun.push({ end: resolve, signal });
    return await orAborted(promise, signal);
  });
  return { begun, ask };
}

const { signal: never } = new AbortController();

test("who asks meanwhile gets the same answer, who asks later another", async () => {
  const { begun, ask } = flights();
  const both = [ask(never), ask(never)];
  begun[0]?.end("one");
  expect(await Promise.all(both)).toEqual(["one", "one"]);
  const later = ask(never);
  begun[1]?.end("two");
  expect(await later).toBe("two");
  expect(begun.length).toBe(2);
});

test("one who aborts leaves the others their answer", async () => {
  const { begun, ask } = flights();
  const leaving = new AbortController();
  const [left, stays] = [ask(leaving.signal), ask(never)];
  leaving.abort(new Error("I left"));
  await expect(left).rejects.toThrow("I left");
  expect(begun[0]?.signal.aborted).toBe(false);
  begun[0]?.end("one");
  expect(await stays).toBe("one");
});

test("with the last one the work ends, and whoever comes then begins anew", async () => {
  const { begun, ask } = flights();
  const leaving = new AbortController();
  const left = ask(leaving.signal);
  leaving.abort(new Error("I left"));
  await expect(left).rejects.toThrow("I left");
  expect(begun[0]?.signal.aborted).toBe(true);
  const next = ask(never);
  begun[1]?.end("two");
  expect(await next).toBe("two");
});

test("a failure is everybody's, and is not kept", async () => {
  let times = 0;
  const ask = singleFlight(async () => {
    times += 1;
    if (times === 1) throw new Error("no");
    return times;
  });
  const ends = await Promise.allSettled([ask(never), ask(never)]);
  expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await ask(never)).toBe(2);
});
