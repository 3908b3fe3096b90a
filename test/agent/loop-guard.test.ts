import { expect, test } from "vitest";
import { NO_LOOP, watchLoop, type SettledCall } from "../../src/agent/loop-guard.ts";

const call = (name: string, input = "{}", content = "same"): SettledCall => ({
  name,
  input,
  content,
});

const repeats = (steps: readonly (readonly SettledCall[])[]): number =>
  steps.reduce(watchLoop, NO_LOOP).repeats;

test("steps in a row with the same calls and results are counted", () => {
  expect(repeats([[call("a")], [call("a")], [call("a")]])).toBe(3);
});

test.each([
  ["another tool", call("b")],
  ["another input", call("a", '{"x":1}')],
  ["another result", call("a", "{}", "new")],
])("%s starts the count again", (_what, other) => {
  expect(repeats([[call("a")], [call("a")], [other]])).toBe(1);
});

test("one call more in the step is another step", () => {
  expect(repeats([[call("a")], [call("a"), call("a")]])).toBe(1);
});

test("names and inputs that only look alike when joined are told apart", () => {
  expect(repeats([[call("a", "b,c")], [call("a,b", "c")]])).toBe(1);
});
