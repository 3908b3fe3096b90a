/**
 * What the heart adds to a model that answers at once: accept to start of the model call, and model end to terminal event, for
 * 1, 100 and 1,000 concurrent sessions in one process, beside a floor that only commits twice per prompt with the same durability.
 *
 *   tsx scripts/bench-dispatch.ts [--rounds 3] [--prompts 2000]
 */
import { parseArgs } from "node:util";
import {
  bursts,
  closedLoop,
  percentile,
  type Drive,
  type LaneFigures,
  type LaneSubject,
} from "./bench/lanes.ts";
import { dispatcherSubject, floorSubject } from "./bench/lane-subjects.ts";
import { median, table, verdict } from "./bench/report.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    prompts: { type: "string", default: "2000" },
  },
});
const rounds = Math.max(1, Number(values.rounds));
const prompts = Math.max(1000, Number(values.prompts));
const LANES = [1, 100, 1000] as const;
const WARM_UP = 500;
const REACH = { lanes: 100, p99Ms: 25 } as const;

const DRIVES: Readonly<Record<string, Drive>> = { "closed loop": closedLoop, burst: bursts };

const rows: string[][] = [];
for (const lanes of LANES)
  for (const [shape, drive] of Object.entries(DRIVES)) {
    const floor: LaneFigures[] = [];
    const mine: LaneFigures[] = [];
    for (let n = 0; n < rounds; n++) {
      floor.push(await round(floorSubject, drive, lanes));
      mine.push(await round(dispatcherSubject, drive, lanes));
    }
    rows.push(...figures(`${lanes} ${shape}`, lanes, floor, mine));
  }
process.stdout.write(
  `${prompts} prompts a round, Node ${process.version}, medians of ${rounds} interleaved rounds\n` +
    "closed loop: each session sends its next prompt when the last one has ended, so all of them are always at it\n" +
    "burst: all sessions send a prompt at the same moment, and all models end at the same moment\n\n" +
    table([["", "two commits", "dispatcher", "ratio", "reach"], ...rows]),
);

async function round(open: () => LaneSubject, drive: Drive, lanes: number): Promise<LaneFigures> {
  await using subject = open();
  await drive(subject, lanes, Math.max(lanes, WARM_UP)); // fills caches, not counted
  return await drive(subject, lanes, prompts);
}

function figures(
  what: string,
  lanes: number,
  floor: readonly LaneFigures[],
  mine: readonly LaneFigures[],
): string[][] {
  const row = (
    label: string,
    pick: (figures: LaneFigures) => number,
    unit: string,
    reach: (value: number) => string = () => "",
  ): string[] => {
    const [bare, ours] = [median(floor.map(pick)), median(mine.map(pick))];
    const cell = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ${unit}`;
    return [
      `${what}: ${label}`,
      cell(bare),
      cell(ours),
      `${(ours / bare).toFixed(2)}x`,
      reach(ours),
    ];
  };
  const reach = (ms: number): string =>
    lanes === REACH.lanes ? verdict(ms, REACH.p99Ms, " ms") : "";
  return [
    row("prompts", ({ perSecond }) => perSecond, "/s"),
    row("accept to model call, p50", ({ startMs }) => percentile(startMs, 0.5), "ms"),
    row("accept to model call, p99", ({ startMs }) => percentile(startMs, 0.99), "ms", reach),
    row("model end to terminal, p50", ({ endMs }) => percentile(endMs, 0.5), "ms"),
    row("model end to terminal, p99", ({ endMs }) => percentile(endMs, 0.99), "ms", reach),
  ];
}
