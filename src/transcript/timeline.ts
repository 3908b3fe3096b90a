import { escaped } from "./escape.ts";
import type { Step, ToolSpan, Turn } from "./steps.ts";

const WIDTH = 960;
const ROW = 24;
const BAR = 12;
/** Where the columns begin, and how wide their bars are. */
const PLOT = { x: 190, width: 400 };
const TIME_X = 600;
const INPUT = { x: 690, width: 70 };
const OUTPUT = { x: 825, width: 70 };
/** A page with more rows than this is none that anybody reads. */
const MOST_ROWS = 200;
const LABEL = 24;

/** The steps of a conversation as one drawing: when the model was called and what ran, and the tokens of each call. */
export function timelineSvg(turns: readonly Turn[], clean: (text: string) => string): string {
  const shown = lastOf(turns);
  const longest = Math.max(1, ...turns.map(({ steps }) => endOf(steps) - startOf(steps)));
  const steps = turns.flatMap((turn) => turn.steps);
  const most = (of: "inputTokens" | "outputTokens"): number =>
    Math.max(1, ...steps.map(({ usage }) => usage?.[of] ?? 0));
  const scales = { longest, input: most("inputTokens"), output: most("outputTokens") };
  const rows: string[] = [];
  let y = 2 * ROW;
  let n = steps.length - shown.reduce((sum, turn) => sum + turn.steps.length, 0);
  for (const [at, turn] of shown.entries()) {
    if (at > 0) {
      rows.push(`<line class="rule" x1="0" x2="${WIDTH}" y1="${y + 4}" y2="${y + 4}"/>`);
      y += 8;
    }
    for (const step of turn.steps) {
      n += 1;
      rows.push(rowOf(step, n, y, startOf(turn.steps), scales, clean));
      y += ROW;
    }
  }
  const height = y + ROW / 2;
  const what = `${steps.length} model calls in ${turns.length} turns; the longest turn took ${inWords(longest)}.`;
  return [
    `<svg class="timeline" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="timeline-title timeline-text">`,
    `<title id="timeline-title">Timeline of steps and tokens</title><desc id="timeline-text">${what}</desc>`,
    headings(longest, height),
    ...rows,
    "</svg>",
  ].join("\n");
}

const startOf = (steps: readonly Step[]): number =>
  Math.min(...steps.map(({ startMs }) => startMs));
const endOf = (steps: readonly Step[]): number =>
  Math.max(...steps.flatMap(({ endMs, tools }) => [endMs, ...tools.map((tool) => tool.endMs)]));

function lastOf(turns: readonly Turn[]): readonly Turn[] {
  const shown: Turn[] = [];
  let left = MOST_ROWS;
  for (const turn of turns.toReversed()) {
    if (left === 0) break;
    const steps = turn.steps.slice(-left);
    shown.unshift({ ...turn, steps });
    left -= steps.length;
  }
  return shown;
}

/** How many of the first steps are not drawn. */
export const undrawn = (turns: readonly Turn[]): number =>
  Math.max(0, turns.reduce((sum, { steps }) => sum + steps.length, 0) - MOST_ROWS);

function headings(longest: number, height: number): string {
  const head = (x: number, text: string, anchor = "start"): string =>
    `<text class="head" x="${x}" y="14" text-anchor="${anchor}">${text}</text>`;
  const ticks = ticksTo(longest).map((ms) => {
    const x = round(PLOT.x + (ms / longest) * PLOT.width);
    const label = ms === 0 ? "0" : inWords(ms).replace(/\.0 s$/, " s");
    return `<line class="rule" x1="${x}" x2="${x}" y1="${ROW + 14}" y2="${height - 6}"/><text class="tick" x="${x}" y="${ROW + 9}" text-anchor="middle">${label}</text>`;
  });
  return [
    head(0, "Step"),
    head(PLOT.x, "Model and tools, since the prompt"),
    head(TIME_X, "Time"),
    head(INPUT.x, "Tokens in"),
    head(OUTPUT.x, "Tokens out"),
    ...ticks,
  ].join("");
}

/** Round times, three to seven of them. */
function ticksTo(longest: number): readonly number[] {
  const every =
    ROUND_TIMES.find((ms) => longest / ms <= 6) ?? Math.ceil(longest / 6 / 3_600_000) * 3_600_000;
  return Array.from({ length: Math.floor(longest / every) + 1 }, (_, at) => at * every);
}

const ROUND_TIMES: readonly number[] = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000,
  600_000, 1_800_000, 3_600_000,
];

interface Scales {
  readonly longest: number;
  readonly input: number;
  readonly output: number;
}

function rowOf(
  step: Step,
  n: number,
  y: number,
  from: number,
  { longest, input, output }: Scales,
  clean: (text: string) => string,
): string {
  const { model, usage, tools, startMs, endMs, isSummary } = step;
  const name = isSummary ? "summary" : clean(model);
  const last = Math.max(endMs, ...tools.map((tool) => tool.endMs));
  const bar = (what: string, start: number, end: number, told: string): string => {
    const x = PLOT.x + ((start - from) / longest) * PLOT.width;
    const width = Math.max(2, ((end - start) / longest) * PLOT.width);
    return `<rect class="${what}" x="${round(x)}" y="${y + 6}" width="${round(width)}" height="${BAR}" rx="2"><title>${escaped(told)}</title></rect>`;
  };
  const ran = ({ name: tool, isError, startMs: start, endMs: end }: ToolSpan): string =>
    bar(
      isError ? "failed" : "tool",
      start,
      end,
      `${clean(tool)}${isError ? " failed" : ""}: ${inWords(end - start)}`,
    );
  const text = (x: number, what: string): string =>
    `<text x="${x}" y="${y + 16}">${escaped(what)}</text>`;
  return [
    text(0, `${n}  ${name.length > LABEL ? `${name.slice(0, LABEL - 1)}…` : name}`),
    bar("model", startMs, endMs, `${name}: ${inWords(endMs - startMs)}`),
    ...tools.map(ran),
    text(TIME_X, inWords(last - startMs)),
    tokens(INPUT, "in", usage?.inputTokens ?? null, input, y),
    tokens(OUTPUT, "out", usage?.outputTokens ?? null, output, y),
  ].join("");
}

function tokens(
  { x, width }: typeof INPUT,
  what: string,
  count: number | null,
  most: number,
  y: number,
): string {
  if (count === null) return `<text class="tick" x="${x}" y="${y + 16}">unknown</text>`;
  const length = round((count / most) * width);
  return `<rect class="${what}" x="${x}" y="${y + 6}" width="${length}" height="${BAR}" rx="2"/><text x="${x + length + 5}" y="${y + 16}">${count.toLocaleString("en")}</text>`;
}

const round = (value: number): number => Math.round(value * 10) / 10;

/** `850 ms`, `12.3 s`, `3 min 12 s`, `1 h 5 min` */
export function inWords(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
