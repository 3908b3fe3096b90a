/**
 * A cold one-word run of bin/crush beside a bare node:http client that asks the same provider: medians over
 * interleaved runs, and the median of the ratios pair by pair.
 *
 *   tsx scripts/bench-start.ts [--rounds 21]
 */
import { parseArgs } from "node:util";
import { median, pairedRatio, table, verdict } from "./bench/report.ts";
import { startSubject } from "./bench/subject.ts";
import type { Sample } from "./bench/subject.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "21" } } });
const rounds = Math.max(15, Number(values.rounds));
const word = { text: "hello", chunks: 1 };

const floor: Sample[] = [];
const crush: Sample[] = [];
await using subject = await startSubject();
// Not counted: the first runs fill the page cache, make the database and keep the code cache.
for (let n = 0; n < 3; n++) {
  await subject.run("floor", word);
  await subject.run("crush", word);
}
for (let n = 0; n < rounds; n++) {
  floor.push(await subject.run("floor", word));
  crush.push(await subject.run("crush", word));
}

const figures = [
  ["wall", "wallMs", "ms", (_value: number, ratio: number) => verdict(ratio, 2.6, "x")],
  ["CPU", "cpuMs", "ms", () => ""],
  ["peak memory", "peakMiB", "MiB", (mib: number) => verdict(mib, 90, " MiB")],
  ["start to first request", "startToRequestMs", "ms", () => ""],
  ["last byte to exit", "lastByteToExitMs", "ms", (ms: number) => verdict(ms, 30, " ms")],
] as const;

const rows = figures.map(([name, key, unit, reach]) => {
  const [mine, bare] = [crush, floor].map((samples) => samples.map((sample) => sample[key]));
  const value = median(mine ?? []);
  const ratio = pairedRatio(mine ?? [], bare ?? []);
  const cell = (number: number): string => `${number.toFixed(1)} ${unit}`;
  return [name, cell(median(bare ?? [])), cell(value), `${ratio.toFixed(2)}x`, reach(value, ratio)];
});
process.stdout.write(
  `One word, cold, Node ${process.version}, medians of ${rounds} interleaved runs\n\n` +
    table([["", "node:http", "crush run", "ratio", "reach"], ...rows]),
);
