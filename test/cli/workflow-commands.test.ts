import * as fc from "fast-check";
import { expect, test } from "vitest";
import { commandWatch, workflowCommand } from "../../src/cli/workflow-commands.ts";
import { isObeyed, linesOf, obeyed } from "../support/actions-runner.ts";

const anyText = fc.string({ unit: "binary" });
const piece = fc.constantFrom("::", ":", "##[", "#", "[", "]", "error", "add-mask", "x", "é");
const gap = fc.constantFrom(" ", "\t", "\n", "\r", "\r\n", "\u00a0", "\u0085", "\u200b", "\u0000");
const suspicious = fc.array(fc.oneof(piece, gap), { maxLength: 12 }).map((parts) => parts.join(""));
const command = fc.constantFrom("::error::", "::set-output name=a::b", "##[warning]", "");

const isFound = (chunks: readonly string[]): boolean => {
  const watch = commandWatch();
  for (const chunk of chunks) watch.see(chunk);
  return watch.found();
};

test("a command is one line, and the runner reads from it what was put in", () => {
  fc.assert(
    fc.property(anyText, anyText, (message, title) => {
      fc.pre(title !== "" && title.trim() === title);
      const line = workflowCommand("error", message, { title });
      expect(line.endsWith("\n")).toBe(true);
      expect(obeyed(linesOf(line))).toEqual([
        { name: "error", properties: { title }, data: message },
      ]);
    }),
  );
});

test("what has a meaning in a command is escaped, its escape too", () => {
  expect(workflowCommand("warning", "50% done:\r\nnot, yet", { title: "a:b,c%\r\n" })).toBe(
    "::warning title=a%3Ab%2Cc%25%0D%0A::50%25 done:%0D%0Anot, yet\n",
  );
  expect(workflowCommand("crush-run-1", "")).toBe("::crush-run-1::\n");
});

test("no line that the runner would obey escapes the watch", () => {
  let commands = 0;
  fc.assert(
    fc.property(suspicious, command, suspicious, (before, inside, after) => {
      const text = before + inside + after;
      const hasCommand = linesOf(text).some(isObeyed);
      if (hasCommand) commands += 1;
      expect(hasCommand && !isFound([text])).toBe(false);
    }),
  );
  expect(commands).toBeGreaterThan(10);
});

test("how a text is cut into chunks makes no difference to the watch", () => {
  fc.assert(
    fc.property(suspicious, fc.array(fc.nat(20)), (text, cuts) => {
      const places = [0, ...cuts.filter((at) => at < text.length), text.length].toSorted(
        (a, b) => a - b,
      );
      const chunks = places.map((at, index) => text.slice(places[index - 1] ?? 0, at));
      expect(chunks.join("")).toBe(text);
      expect(isFound(chunks)).toBe(isFound([text]));
    }),
  );
});

test.each([
  "::error::x",
  "fine\n \t::set-output name=a::b",
  "fine\r::error::x",
  "\u0085::error::x",
  "\u200b:\u00ad:error::x",
  "in the middle ##[add-path]/tmp of a line",
  '{"text":"##[error]x"}\n',
  "#\u200d#[error]x",
])("%j is found by the watch", (text) => {
  expect(isFound([text])).toBe(true);
  expect(isFound(Array.from(text))).toBe(true);
});

test.each(["", "std::vector<int> a::b\n", "a ::error::x", "# # [1]", "## Title\n[a]\n", "#\n#["])(
  "%j is none of its business",
  (text) => {
    expect(isFound([text])).toBe(false);
  },
);
