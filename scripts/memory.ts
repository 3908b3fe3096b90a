/**
 * What prompts leave behind in the memory of a process: nothing. Sends them through many sessions, once to a dispatcher and once to a
 * whole server over its wire, and compares the heap after a collection with that after a warm-up. Ends with 1 when it grew.
 *
 *   node --expose-gc --import tsx scripts/memory.ts [--prompts 100000] [--sessions 1000] [--only server]
 */
import { parseArgs } from "node:util";
import { table } from "./bench/report.ts";
import { sendMixed, type Target } from "./memory/mixed-load.ts";
import { dispatcherTarget, serverTarget } from "./memory/targets.ts";

const { values } = parseArgs({
  options: {
    prompts: { type: "string", default: "100000" },
    sessions: { type: "string", default: "1000" },
    only: { type: "string", default: "" },
  },
});
const prompts = Number(values.prompts);
const sessions = Number(values.sessions);
const MOST_GROWTH = 0.1;
/** A session's first prompts, and the code's first runs, may leave something. */
const WARM_UP = 2 * sessions;
/** The server keeps its newest events: it is warm when the first are gone. */
const SERVER_WARM_UP = Math.max(WARM_UP, 20_000);
const MEASURES = 20;

/** Growth of the heap, from its figures after the warm-up and after each part of the rest. */
type Growth = (heaps: readonly number[]) => number;

const fromFirstToLast: Growth = (heaps) => (heaps.at(-1) ?? Number.NaN) / (heaps[0] ?? 0) - 1;
/** For a heap that goes up and down, as events are dropped in bulk: the highest of the second half to that of the first. */
const fromPeakToPeak: Growth = (heaps) =>
  Math.max(...heaps.slice(heaps.length / 2)) / Math.max(...heaps.slice(0, heaps.length / 2)) - 1;

const TARGETS = {
  dispatcher: { open: dispatcherTarget, warmUp: WARM_UP, growth: fromFirstToLast },
  server: { open: serverTarget, warmUp: SERVER_WARM_UP, growth: fromPeakToPeak },
};
let grown = false;
for (const [name, { open, warmUp, growth }] of Object.entries(TARGETS)) {
  if (!name.startsWith(values.only)) continue;
  grown = (await growthOf(name, await open(sessions), warmUp, growth)) > MOST_GROWTH || grown;
}
process.exitCode = grown ? 1 : 0;

async function growthOf(
  name: string,
  opened: Target & AsyncDisposable,
  warmUp: number,
  growth: Growth,
): Promise<number> {
  await using target = opened;
  const began = performance.now();
  await sendMixed(target, warmUp);
  const heaps: number[] = [];
  const rows: string[][] = [];
  const measure = (sent: number): void => {
    const { heapUsed, external, rss } = collected();
    heaps.push(heapUsed);
    rows.push([String(sent), ...[heapUsed, external, rss].map(mebibytes)]);
  };
  measure(warmUp);
  for (let n = 1; n <= MEASURES; n += 1) {
    await sendMixed(target, prompts / MEASURES);
    measure(warmUp + (n * prompts) / MEASURES);
  }
  const grew = growth(heaps);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  const verdict = grew <= MOST_GROWTH ? "nothing is left" : "SOMETHING IS LEFT";
  process.stdout.write(
    `${name}: ${prompts} prompts through ${sessions} sessions after a warm-up of ${warmUp}, ${seconds} s\n\n` +
      table([["prompts", "heap", "external", "resident"], ...rows]) +
      `\nheap ${(grew * 100).toFixed(1)} %, allowed ${MOST_GROWTH * 100} %: ${verdict}\n\n`,
  );
  return grew;
}

function collected(): NodeJS.MemoryUsage {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error("start it with node --expose-gc");
  for (let n = 0; n < 3; n += 1) collect();
  return process.memoryUsage();
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
