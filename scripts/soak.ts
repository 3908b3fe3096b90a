/**
 * Tries the races of docs/specification.md, section 6.3, under schedule after schedule:
 *
 *   npm run soak -- --minutes 10          all of them in turn, for that long
 *   npm run soak -- --schedules 100000    the same, until that many are tried
 *   npm run soak -- --only P-5 --store sqlite --seed 42 --path 3:1
 *
 * Ends with 1 at the first schedule that breaks a promise, and says how to see it again.
 */
import { parseArgs } from "node:util";
import * as fc from "fast-check";
import { PROPERTIES } from "../test/properties/properties.ts";
import type { RaceProperty } from "../test/properties/race-property.ts";
import type { StoreKind } from "../test/support/disk.ts";
import { STORE_KINDS } from "../test/support/store-kinds.ts";

/** Schedules of a property in one round. The file is the slower of the two, and differs from the memory in little. */
const CHUNK = { memory: 100, sqlite: 8 } as const;
const PROGRESS_MS = 15_000;

interface Subject {
  readonly property: RaceProperty;
  readonly stores: StoreKind;
  schedules: number;
  ms: number;
}

const { values } = parseArgs({
  options: {
    minutes: { type: "string" },
    schedules: { type: "string" },
    seed: { type: "string" },
    only: { type: "string", multiple: true },
    store: { type: "string" },
    path: { type: "string" },
  },
});
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
const mostSchedules = Number(values.schedules ?? Number.POSITIVE_INFINITY);
const minutes = Number(values.minutes ?? (values.schedules === undefined ? 1 : 24 * 60));
const subjects = PROPERTIES.filter(({ id }) => values.only?.includes(id) ?? true).flatMap(
  (property) =>
    STORE_KINDS.filter(({ name }) => name === (values.store ?? name)).map((stores): Subject => ({
      property,
      stores,
      schedules: 0,
      ms: 0,
    })),
);

const start = performance.now();
const elapsedMs = (): number => performance.now() - start;
const total = (): number => subjects.reduce((sum, { schedules }) => sum + schedules, 0);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

say(
  `seed ${seed}, ${subjects.length / Math.max(1, new Set(subjects.map((s) => s.stores)).size)} properties`,
);
process.exitCode = (await soak()) ? 0 : 1;
report();

/** False at the first schedule that fails. */
async function soak(): Promise<boolean> {
  let told = 0;
  const isOver = (): boolean => total() >= mostSchedules || elapsedMs() > minutes * 60_000;
  if (subjects.length === 0) {
    say("there is no such property");
    return false;
  }
  for (let round = 0; !isOver(); round += 1) {
    for (const subject of subjects) {
      if (isOver()) break;
      if (!(await tryOut(subject, (seed + round) % 2 ** 31))) return false;
      if (elapsedMs() - told < PROGRESS_MS) continue;
      told = elapsedMs();
      say(`${minutesOf(told)} min: ${total()} schedules, round ${round}`);
    }
    if (values.path !== undefined) break;
  }
  return true;
}

async function tryOut(subject: Subject, chunkSeed: number): Promise<boolean> {
  const { property, stores } = subject;
  const began = performance.now();
  const details = await fc.check(property.property(stores), {
    seed: chunkSeed,
    numRuns: Math.max(1, Math.min(CHUNK[stores.name], mostSchedules - total())),
    ...(values.path === undefined ? {} : { path: values.path }),
  });
  subject.schedules += details.numRuns;
  subject.ms += performance.now() - began;
  if (!details.failed) return true;
  say(`\n${property.id}: ${property.title} — broken (${stores.name})`);
  say(fc.defaultReportMessage(details) ?? "");
  say(details.errorInstance instanceof Error ? details.errorInstance.message : "");
  const again = `--only ${property.id} --store ${stores.name} --seed ${details.seed}`;
  say(`\nagain: npm run soak -- ${again} --path ${details.counterexamplePath ?? ""}`);
  return false;
}

function report(): void {
  say("\nproperty  store   schedules  ms each");
  for (const { property, stores, schedules, ms } of subjects) {
    const each = schedules === 0 ? "–" : (ms / schedules).toFixed(2);
    const name = `${property.id.padEnd(10)}${stores.name.padEnd(8)}`;
    say(`${name}${String(schedules).padStart(9)}${each.padStart(9)}`);
  }
  say(
    `total             ${String(total()).padStart(9)}   in ${minutesOf(elapsedMs())} min, seed ${seed}`,
  );
}

function minutesOf(ms: number): string {
  return (ms / 60_000).toFixed(1);
}
