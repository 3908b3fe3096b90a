import * as fc from "fast-check";
import { SaxesParser } from "saxes";
import { expect, test } from "vitest";
import { ENDINGS, failure, isReason, type Reason } from "../../src/protocol/ending.ts";
import type { RunId } from "../../src/protocol/ids.ts";
import type { RunOutcome } from "../../src/protocol/run-record.ts";
import { NOTHING_HEARD } from "../../src/run/heard.ts";
import { junitDocument } from "../../src/run/junit-document.ts";
import { NO_FACTS, resultDocument } from "../../src/run/result-document.ts";
import { outcome } from "../support/arbitrary.ts";
import { settledRecord } from "../support/run-record.ts";

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  text: string;
}

/** The elements of a document in their order, as a strict parser sees it; throws when it is not well-formed. */
function elementsOf(xml: string): Element[] {
  const parser = new SaxesParser();
  const all: Element[] = [];
  const open: Element[] = [];
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => {
    const element = { name, attributes, text: "" };
    all.push(element);
    open.push(element);
  });
  parser.on("text", (text) => {
    const element = open.at(-1);
    if (element) element.text += text;
  });
  parser.on("closetag", () => void open.pop());
  parser.write(Buffer.from(xml).toString()).close();
  return all;
}

function documentOf(told: Partial<RunOutcome>, title: string | null = "hi"): string {
  const record = settledRecord("run-1" as RunId, told);
  const { reason = "end_turn", failure: what = null } = told;
  const facts = { ...NO_FACTS, runId: record.runId, sessionId: record.sessionId, record };
  const end = { reason, failure: what, exitCode: 0, endedAfterMs: 12_345 };
  const result = resultDocument(facts, NOTHING_HEARD, end);
  return junitDocument({ result, title, startedAt: Date.UTC(2026, 0, 2, 3, 4, 5) });
}

const one = (xml: string, name: string): Element | undefined =>
  elementsOf(xml).find((element) => element.name === name);

test("a completed run is one test case that passed, with its answer and what it used", () => {
  expect(documentOf({ text: "All <good>." }, "\n  Look here\nand there")).toBe(
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="crush-run" tests="1" failures="0" errors="0" skipped="0" time="12.345" timestamp="2026-01-02T03:04:05">
    <properties>
      <property name="run_id" value="run-1"/>
      <property name="session_id" value="s"/>
      <property name="status" value="completed"/>
      <property name="reason" value="end_turn"/>
      <property name="exit_code" value="0"/>
      <property name="model" value="fake/one"/>
      <property name="turns" value="1"/>
      <property name="tool_calls" value="0"/>
      <property name="input_tokens" value="0"/>
      <property name="output_tokens" value="0"/>
      <property name="cost_usd" value="0"/>
    </properties>
    <testcase classname="crush-run" name="Look here" time="12.345">
      <system-out>All &lt;good&gt;.</system-out>
    </testcase>
  </testsuite>
</testsuites>
`,
  );
});

test.each((Object.keys(ENDINGS) as Reason[]).filter((reason) => reason !== "end_turn"))(
  "%s is a failure when the run came to its own end, else an error",
  (reason) => {
    const denial = {
      callId: "c",
      name: "view",
      kind: "unapproved",
      rule: "outside",
      remedy: "allow it",
    } as const;
    const what = failure(reason, "it broke", { remedy: "mend it" });
    const told = { reason, failure: what, denials: [denial], warnings: ["old key"], costUsd: null };
    const xml = documentOf(told);
    const { exitCode } = ENDINGS[reason];
    const ownEnd = [6, 7, 10, 124].includes(exitCode);
    const isFailure = ownEnd || ["content_filter", "empty_output", "schema"].includes(reason);
    expect(one(xml, isFailure ? "failure" : "error")).toEqual({
      name: isFailure ? "failure" : "error",
      attributes: { type: reason, message: "it broke" },
      text: "it broke\nmend it\nview was refused (outside); allow it\nwarning: old key",
    });
    const counts = isFailure ? { failures: "1", errors: "0" } : { failures: "0", errors: "1" };
    expect(one(xml, "testsuite")?.attributes).toMatchObject(counts);
    expect(isReason(reason)).toBe(true);
    expect(xml).not.toContain("cost_usd");
  },
);

const plain = (text: string): string =>
  Array.from(text, (character) =>
    /^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]$/u.test(character)
      ? character
      : "\ufffd",
  ).join("");

test("whatever was said, the document is well-formed and says it, but for what XML has no place for", () => {
  fc.assert(
    fc.property(outcome, fc.string({ unit: "binary" }), (told, title) => {
      const xml = documentOf(told, title);
      expect(one(xml, "system-out")?.text ?? "").toBe(plain(told.text));
      const verdict = one(xml, "failure") ?? one(xml, "error");
      expect(verdict?.attributes["message"]).toBe(
        told.reason === "end_turn" ? undefined : plain(told.failure?.message ?? told.reason),
      );
      const name = one(xml, "testcase")?.attributes["name"] ?? "";
      expect(name.length > 0 && name.length <= 120).toBe(true);
    }),
  );
});

test.each([
  ["]]>", "]]>"],
  ["a\r\nb\rc\td", "a\r\nb\rc\td"],
  ["\u0000\u001b[31m\ufffe\ud800", "\ufffd\ufffd[31m\ufffd\ufffd"],
  ["<!-- & 'x' \"y\" -->", "<!-- & 'x' \"y\" -->"],
  ["\u{1f600}\u0085\u2028", "\u{1f600}\u0085\u2028"],
])("%j is read back as %j, in text and in an attribute", (text, read) => {
  const what = failure("loop", text);
  const xml = documentOf({ reason: "loop", failure: what, text });
  expect(one(xml, "system-out")?.text).toBe(read);
  expect(one(xml, "failure")?.attributes["message"]).toBe(read);
});

test.each([
  [null, "crush run"],
  [" \n", "crush run"],
  ["x".repeat(200), `${"x".repeat(119)}…`],
])("a title %j names the test case", (title, name) => {
  expect(one(documentOf({}, title), "testcase")?.attributes["name"]).toBe(name);
});
