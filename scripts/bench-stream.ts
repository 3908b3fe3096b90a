/**
 * What 1 MB of answer in 20,000 deltas costs on top of one word, for bin/crush and for a bare node:http client,
 * sent in writes of 64 KiB and in one write per delta. Medians over interleaved runs.
 *
 *   tsx scripts/bench-stream.ts [--rounds 15]
 */
import { parseArgs } from "node:util";
import { median, pairedRatio, table, verdict } from "./bench/report.ts";
import { startSubject } from "./bench/subject.ts";
import type { Program, Sample } from "./bench/subject.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "15" } } });
const rounds = Math.max(15, Number(values.rounds));

const MEGABYTE = "lorem ipsum dolor sit amet consectetur adipiscing ".repeat(20_000).trimEnd();
const short = { text: "hello", chunks: 1 };
const long = { text: MEGABYTE, chunks: 20_000 };
const WRITES = { "64 KiB writes": "64k", "one write per delta": "perDelta" } as const;
const PROGRAMS: readonly Program[] = ["floor", "crush"];

interface Pair {
  readonly short: Sample;
  readonly long: Sample;
}
const pairs = new Map<string, Pair[]>();
await using subject = await startSubject();
for (const program of PROGRAMS) await subject.run(program, short); // fills caches, not counted
for (let n = 0; n < rounds; n++)
  for (const [name, write] of Object.entries(WRITES))
    for (const program of PROGRAMS) {
      const pair = {
        short: await subject.run(program, short),
        long: await subject.run(program, { ...long, write }),
      };
      pairs.set(`${name} ${program}`, [...(pairs.get(`${name} ${program}`) ?? []), pair]);
    }

const rows = Object.keys(WRITES).flatMap((name) => {
  const [bare, mine] = PROGRAMS.map((program) => pairs.get(`${name} ${program}`) ?? []);
  return figures(name, bare ?? [], mine ?? []);
});
process.stdout.write(
  `1 MB in 20,000 deltas, Node ${process.version}, medians of ${rounds} interleaved runs\n\n` +
    table([["", "node:http", "crush run", "ratio", "reach"], ...rows]),
);

function figures(name: string, bare: readonly Pair[], mine: readonly Pair[]): string[][] {
  const row = (
    label: string,
    unit: string,
    pick: (pair: Pair) => number,
    reach: (value: number) => string = () => "",
  ): string[] => {
    const [floor, crush] = [bare.map(pick), mine.map(pick)];
    const cell = (number: number): string => `${number.toFixed(0)} ${unit}`;
    const ratio = pairedRatio(crush, floor).toFixed(2);
    const value = median(crush);
    return [`${name}: ${label}`, cell(median(floor)), cell(value), `${ratio}x`, reach(value)];
  };
  return [
    row("wall on top", "ms", ({ short: one, long: all }) => all.wallMs - one.wallMs),
    row(
      "CPU on top (per MB)",
      "ms",
      ({ short: one, long: all }) => all.cpuMs - one.cpuMs,
      (ms) => verdict(ms / 1000, 0.25, " s"),
    ),
    row("wall in all", "ms", ({ long: all }) => all.wallMs),
    row("CPU in all", "ms", ({ long: all }) => all.cpuMs),
    row("peak memory", "MiB", ({ long: all }) => all.peakMiB),
  ];
}
