import { expect, test } from "vitest";
import type { MessageId } from "../../src/protocol/ids.ts";
import {
  addText,
  completeText,
  doubtText,
  NO_TEXT,
  resetText,
  trustText,
  type LiveText,
} from "../../src/run/live-text.ts";

const [m1, m2] = ["m1", "m2"] as MessageId[] as [MessageId, MessageId];

type Move = (state: LiveText) => LiveText | readonly [LiveText, string];

const says =
  (text: string, id = m1): Move =>
  (state) =>
    addText(state, id, text);
const ends =
  (text: string, id = m1): Move =>
  (state) =>
    completeText(state, id, text);
const resets = (state: LiveText): LiveText => resetText(state, m1);

function printed(...moves: Move[]): string {
  let state = NO_TEXT;
  let output = "";
  for (const move of moves) {
    const next = move(state);
    if ("messageId" in next) state = next;
    else {
      state = next[0];
      output += next[1];
    }
  }
  return output;
}

test("deltas are printed as they come, and the whole text adds nothing", () => {
  expect(printed(says("Hel"), says("lo"), ends("Hello"))).toBe("Hello");
});

test("CLI-12: what the stream lost at the end is printed with the whole text", () => {
  expect(printed(says("Hel"), ends("Hello"))).toBe("Hello");
});

test("CLI-11: a text of which nothing was streamed is printed whole", () => {
  expect(printed(ends("Hello"))).toBe("Hello");
});

test.each([
  ["one", "one\n\ntwo"],
  ["one\n", "one\n\ntwo"],
])("a blank line stands between %j and the next message", (first, output) => {
  expect(printed(says(first), says("two", m2))).toBe(output);
});

test("a message without text leaves no blank line", () => {
  expect(printed(says("one"), says("", m2), ends("", m2), says("two", m2))).toBe("one\n\ntwo");
});

test("CLI-18: what a new attempt says again is not printed twice", () => {
  expect(printed(says("Hello wor"), resets, says("Hello"), says(" world"))).toBe("Hello world");
});

test("a new attempt that says something else is printed from its start, after a blank line", () => {
  expect(printed(says("Hello"), resets, says("Good"), says(" day"))).toBe("Hello\n\nGood day");
});

test("a new attempt that parts on its way is printed from its start", () => {
  expect(printed(says("Hello world"), resets, says("Hello"), says(" there"))).toBe(
    "Hello world\n\nHello there",
  );
});

test("a second attempt that fails as well changes nothing of this", () => {
  expect(printed(says("abc"), resets, says("a"), resets, says("ab"), says("cd"))).toBe("abcd");
});

test("a new attempt that ends before what was printed is printed whole", () => {
  expect(printed(says("Hello world"), resets, says("Hello"), ends("Hello"))).toBe(
    "Hello world\n\nHello",
  );
});

test("text with a hole in it is printed again, whole", () => {
  expect(printed(says("abc"), says("ghi"), ends("abcdefghi"))).toBe("abcghi\n\nabcdefghi");
});

test("after a gap nothing is printed that may follow a hole; the whole text fills it", () => {
  expect(printed(says("abc"), doubtText, says("ghi"), ends("abcdefghi"))).toBe("abcdefghi");
});

test("a message that began in a gap is printed when it is whole", () => {
  expect(printed(says("one"), doubtText, says("o", m2), ends("two", m2))).toBe("one\n\ntwo");
});

test("a message that begins after the gap is printed as it comes", () => {
  expect(printed(says("one"), doubtText, trustText, says("tw", m2), says("o", m2))).toBe(
    "one\n\ntwo",
  );
});

test("after a gap a new attempt is told from its start, and can be trusted", () => {
  expect(printed(says("abc"), doubtText, resets, says("abcd"), ends("abcde"))).toBe("abcde");
});
