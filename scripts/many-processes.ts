/**
 * Many processes on one data directory, which accept, cancel, clear and attach at random and are killed at random; then the store and
 * what each of them saw are held against the promises. Ends with 1 when one of them was broken.
 *
 *   tsx scripts/many-processes.ts [--processes 2,8] [--seconds 20] [--seed 1]
 */
import { parseArgs } from "node:util";
import { table } from "./bench/report.ts";
import { bundledChild } from "./many-processes/bundled-child.ts";
import { violationsIn } from "./many-processes/check.ts";
import { figuresOf } from "./many-processes/figures.ts";
import { playRound } from "./many-processes/round.ts";

const { values } = parseArgs({
  options: {
    processes: { type: "string", default: "2,8" },
    seconds: { type: "string", default: "20" },
    seed: { type: "string" },
  },
});
const MOST_SHOWN = 20;
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const milliseconds = Number(values.seconds) * 1000;

const rounds = values.processes.split(",").flatMap((text) => {
  const processes = Number(text);
  return [
    { name: `${processes} processes, one session`, processes, sessions: 1 },
    {
      name: `${processes} processes, ${processes * 3} sessions`,
      processes,
      sessions: processes * 3,
    },
  ];
});
process.stdout.write(`seed ${seed}, ${values.seconds} s a round\n`);
let broken = 0;
{
  using child = await bundledChild();
  for (const [n, { name, processes, sessions }] of rounds.entries()) {
    const wishes = { program: child.program, processes, sessions, milliseconds, seed: seed + n };
    const began = performance.now();
    const { journals, records, kills, wrong } = await playRound(wishes);
    const violations = [...wrong, ...violationsIn(journals, records)];
    const seconds = Math.round((performance.now() - began) / 1000);
    const figures = {
      ...figuresOf(journals, records),
      kills,
      seconds,
      violations: violations.length,
    };
    process.stdout.write(`\n${name}\n`);
    for (const violation of violations.slice(0, MOST_SHOWN))
      process.stdout.write(`  ${violation}\n`);
    process.stdout.write(
      table(Object.entries(figures).map(([key, value]) => [`  ${key}`, String(value)])),
    );
    broken += violations.length;
  }
}
process.stdout.write(
  `\n${broken === 0 ? "every promise was kept" : `${broken} violations, seed ${seed}`}\n`,
);
process.exitCode = broken === 0 ? 0 : 1;
