import { cutBytes, shortened } from "../shared/cut.ts";
import type { ResultDocument } from "./result-document.ts";

/** Less than this says nothing worth reading. */
const LEAST_BYTES = 512;
const MOST_ITEMS = 20;
const LONGEST_ITEM = 300;
/** For the note that the answer was cut, and its frame. */
const FRAME_BYTES = 256;

/**
 * A run as Markdown of at most `room` bytes; null when that is too little. What model, tools and providers say stands in code spans and
 * blocks: it makes no links, pictures or headings.
 */
export function stepSummary(result: ResultDocument, room: number): string | null {
  const facts = factsOf(result);
  const frame = Buffer.byteLength(facts) + FRAME_BYTES;
  if (room < LEAST_BYTES || frame > room) return bare(result, room);
  return facts + answerOf(result, room - frame);
}

function factsOf(result: ResultDocument): string {
  const { error, usage, denials, warnings } = result;
  const told = [
    ...(error === null
      ? []
      : [`**Error:** ${code(error.message)}`, `**Remedy:** ${code(error.remedy)}`]),
    table(result, usage),
    ...list(
      "Refused tool calls",
      denials.map(({ name, rule, remedy }) => `${name} (${rule}); ${remedy}`),
    ),
    ...list("Warnings", warnings),
  ];
  return `${heading(result)}\n${told.join("\n\n")}\n\n`;
}

const heading = ({ status, reason, exit_code }: ResultDocument): string =>
  status === "completed"
    ? "### crush run: completed\n"
    : `### crush run: ${status} (\`${reason}\`), exit status ${exit_code}\n`;

function bare(result: ResultDocument, room: number): string | null {
  const alone = heading(result);
  return Buffer.byteLength(alone) <= room && room >= LEAST_BYTES ? alone : null;
}

function table(result: ResultDocument, usage: ResultDocument["usage"]): string {
  const rows = [
    ["Model", result.models.length === 0 ? "none was asked" : result.models.map(code).join(", ")],
    ["Model calls", `${result.turns}`],
    ["Tool calls", `${result.tool_calls}`],
    [
      "Tokens",
      `${usage.input_tokens} in (${usage.cached_input_tokens} cached), ${usage.output_tokens} out (${usage.reasoning_tokens} reasoning)`,
    ],
    ["Cost", result.cost_usd === null ? "not known" : `$${dollars(result.cost_usd)}`],
    ["Time", `${(result.timings_ms.end / 1000).toFixed(1)} s`],
    ["Run", result.run_id === null ? "none" : code(result.run_id)],
    ["Session", result.session_id === null ? "none" : code(result.session_id)],
  ];
  return [
    "| | |",
    "| --- | --- |",
    ...rows.map(([name = "", value = ""]) => `| ${name} | ${value} |`),
  ].join("\n");
}

const dollars = (usd: number): string =>
  usd.toFixed(usd < 0.01 ? 6 : 4).replace(/(\.\d\d\d*?)0+$/, "$1");

function list(title: string, items: readonly string[]): readonly string[] {
  if (items.length === 0) return [];
  const left = items.length - MOST_ITEMS;
  const lines = items.slice(0, MOST_ITEMS).map((item) => `- ${code(item)}`);
  return [`**${title}**\n\n${[...lines, ...(left > 0 ? [`- and ${left} more`] : [])].join("\n")}`];
}

/** One line that is shown as it is, in a table too. */
function code(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, " ").trim();
  const cut = shortened(line, LONGEST_ITEM);
  const fence = "`".repeat(longestRun(cut) + 1);
  return `${fence} ${cut.replaceAll("|", "\\|")} ${fence}`;
}

function answerOf({ text, partial }: ResultDocument, room: number): string {
  if (text === "") return "";
  const escaped = escapeHtml(text);
  const most = Math.min(room, MOST_ANSWER_BYTES);
  const shown = cutBytes(escaped, most).replace(/&[a-z]{0,3}$/, ""); // half of what stands for a character
  const size = Buffer.byteLength(text);
  const notes = [
    ...(partial ? ["not a whole answer"] : []),
    ...(shown === escaped ? [] : [`only the beginning of its ${size} bytes`]),
  ];
  const title = ["Answer", ...(notes.length === 0 ? [] : [`(${notes.join("; ")})`])].join(" ");
  return `<details><summary>${title}</summary>\n\n<pre>\n${shown}\n</pre>\n\n</details>\n`;
}

/** A page with more of it is slow to open. */
const MOST_ANSWER_BYTES = 128 * 1024;

const escapeHtml = (text: string): string =>
  text
    .replace(/[^\P{Cc}\t\n]/gu, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");

const longestRun = (text: string): number =>
  (text.match(/`+/g) ?? []).reduce((longest, run) => Math.max(longest, run.length), 0);
