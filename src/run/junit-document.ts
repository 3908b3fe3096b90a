import type { Reason } from "../protocol/ending.ts";
import { shortened } from "../shared/cut.ts";
import type { ResultDocument } from "./result-document.ts";

/** What a test report tells of a run, beside its result. */
export interface JunitRun {
  readonly result: ResultDocument;
  /** What it was asked; its first line names the test case. */
  readonly title: string | null;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
}

/** The run as a JUnit report with one test case: XML 1.0, whatever the model said. */
export function junitDocument({ result, title, startedAt }: JunitRun): string {
  const { reason, error, usage, timings_ms, text } = result;
  const verdict = reason === "end_turn" ? null : FAILURES.has(reason) ? "failure" : "error";
  const seconds = (timings_ms.end / 1000).toFixed(3);
  const suite = {
    name: "crush-run",
    tests: "1",
    failures: verdict === "failure" ? "1" : "0",
    errors: verdict === "error" ? "1" : "0",
    skipped: "0",
    time: seconds,
    timestamp: new Date(startedAt).toISOString().slice(0, 19),
  };
  const properties = {
    run_id: result.run_id,
    session_id: result.session_id,
    status: result.status,
    reason,
    exit_code: result.exit_code,
    model: result.models.join(", "),
    turns: result.turns,
    tool_calls: result.tool_calls,
    input_tokens: usage.input_tokens,
    output_tokens: usage.output_tokens,
    cost_usd: result.cost_usd,
  };
  const told = [
    error?.message ?? reason,
    error?.remedy,
    ...result.denials.map(({ name, rule, remedy }) => `${name} was refused (${rule}); ${remedy}`),
    ...result.warnings.map((warning) => `warning: ${warning}`),
  ].filter((line) => line !== undefined);
  const message = error?.message ?? reason;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<testsuites>",
    `  <testsuite${attributes(suite)}>`,
    "    <properties>",
    ...Object.entries(properties)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `      <property${attributes({ name, value: String(value) })}/>`),
    "    </properties>",
    `    <testcase${attributes({ classname: "crush-run", name: nameOf(title), time: seconds })}>`,
    ...(verdict === null
      ? []
      : [
          `      <${verdict}${attributes({ type: reason, message })}>${content(told.join("\n"))}</${verdict}>`,
        ]),
    ...(text === "" ? [] : [`      <system-out>${content(text)}</system-out>`]),
    "    </testcase>",
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

/** The run came to an end of its own, which is not the wanted one; everything else kept it from that. */
const FAILURES: ReadonlySet<Reason> = new Set<Reason>([
  "content_filter",
  "empty_output",
  "turns",
  "tool_calls",
  "tokens",
  "cost",
  "context",
  "output_tokens",
  "loop",
  "needs_approval",
  "needs_input",
  "schema",
  "check_failed",
  "timeout",
  "idle_timeout",
]);

const LONGEST_NAME = 120;

/** The first line that says something. */
function nameOf(title: string | null): string {
  const line = (title ?? "").split(/[\r\n]+/).find((one) => one.trim() !== "");
  return line === undefined ? "crush run" : shortened(line.trim(), LONGEST_NAME);
}

const attributes = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}="${attribute(value)}"`)
    .join("");

const attribute = (text: string): string =>
  content(text).replaceAll('"', "&quot;").replaceAll("\n", "&#10;").replaceAll("\t", "&#9;");

/** A reader makes every end of a line a line feed: a return that is to stay is written as a reference. */
const content = (text: string): string =>
  text
    .replace(NOT_IN_XML, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("\r", "&#13;");

/** What no reference can bring in either: controls, halves of a character, and two that are none. */
const NOT_IN_XML = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;
