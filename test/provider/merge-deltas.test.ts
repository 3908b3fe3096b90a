import * as fc from "fast-check";
import { expect, test } from "vitest";
import { MERGE_WINDOW_MS, NOTHING_HELD, merge } from "../../src/provider/merge-deltas.ts";
import type { MergeInput, MergeOutput } from "../../src/provider/merge-deltas.ts";

type Said = { readonly key: string; readonly text: string } | { readonly other: string };

const gap = fc.nat(40);
const said: fc.Arbitrary<Said> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ key: fc.constantFrom("t", "r"), text: fc.string() }) },
  { weight: 1, arbitrary: fc.record({ other: fc.string() }) },
);

/** What a reader sees: neighbouring pieces of one key joined, everything else as it came. */
function seen(outputs: readonly Said[]): Said[] {
  const result: Said[] = [];
  for (const each of outputs) {
    const last = result.at(-1);
    if (last !== undefined && "key" in last && "key" in each && last.key === each.key)
      result[result.length - 1] = { key: each.key, text: last.text + each.text };
    else result.push(each);
  }
  return result;
}

function decoded(output: MergeOutput): Said {
  if (output.type === "frame") return JSON.parse(output.frame) as Said;
  return { key: output.event["key"] as string, text: output.text };
}

const toInput = (each: Said, at: number): MergeInput => {
  const frame = JSON.stringify(each);
  return "key" in each
    ? { type: "piece", key: each.key, text: each.text, event: { key: each.key }, frame, at }
    : { type: "event", frame };
};

test("a reader sees the same text and the same other events, in the same order, merged or not", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(said, gap)), (stream) => {
      let state = NOTHING_HELD;
      let at = 0;
      const outputs: Said[] = [];
      const feed = (input: MergeInput): void => {
        const [next, sent] = merge(state, input);
        state = next;
        outputs.push(...sent.map(decoded));
      };
      for (const [each, pause] of stream) {
        at += pause;
        // The shell's timer: what is held never waits longer than the window.
        if (state.held !== null && pause >= MERGE_WINDOW_MS) feed({ type: "flush", at });
        feed(toInput(each, at));
      }
      feed({ type: "flush", at });
      expect(state.held).toBeNull();
      expect(seen(outputs)).toEqual(seen(stream.map(([each]) => each)));
      expect(outputs.length).toBeLessThanOrEqual(stream.length);
    }),
  );
});

const piece = (text: string, at: number): MergeInput => toInput({ key: "t", text }, at);

test("the first piece goes at once, its neighbours within the window become one", () => {
  let [state, out] = merge(NOTHING_HELD, piece("a", 100));
  expect(out.map(decoded)).toEqual([{ key: "t", text: "a" }]);
  for (const text of ["b", "c", "d"]) {
    [state, out] = merge(state, piece(text, 105));
    expect(out).toEqual([]);
  }
  [state, out] = merge(state, { type: "flush", at: 116 });
  expect(out.map(decoded)).toEqual([{ key: "t", text: "bcd" }]);
  [, out] = merge(state, piece("e", 132));
  expect(out.map(decoded)).toEqual([{ key: "t", text: "e" }]);
});

test("a burst is not held without bound", () => {
  let state = NOTHING_HELD;
  let most = 0;
  for (let n = 0; n < 2000; n += 1) {
    [state] = merge(state, piece("x".repeat(100), 0));
    most = Math.max(most, state.held?.text.length ?? 0);
  }
  expect(most).toBeLessThanOrEqual(65_536);
});
