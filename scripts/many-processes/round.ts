import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { newSessionId } from "../../src/protocol/ids.ts";
import { createDispatcher } from "../../src/session/create-dispatcher.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { chanceOf, type Chance } from "./chance.ts";
import { microseconds, readJournal, type Journal } from "./journal.ts";
import { readRecords, type Records } from "./records.ts";

export interface RoundWishes {
  /** The bundled `child.ts`. */
  readonly program: string;
  readonly processes: number;
  readonly sessions: number;
  readonly milliseconds: number;
  readonly seed: number;
}

/** What is left when all processes are gone and somebody has looked. */
export interface RoundResult {
  readonly journals: readonly Journal[];
  readonly records: Records;
  readonly kills: number;
  /** Of the round itself. */
  readonly wrong: readonly string[];
}

/** Between two kills. */
const PEACE_MS = { least: 200, most: 1_000 } as const;
/** For the open prompts to end, once nobody sends any more. */
const LEAVE_MS = 30_000;

/** Processes come, go by SIGKILL and are replaced, until the time is up; the rest leaves in peace. */
export async function playRound(wishes: RoundWishes): Promise<RoundResult> {
  const directory = mkdtempSync(join(tmpdir(), "crush-many-"));
  const chance = chanceOf(wishes.seed);
  const wrong: string[] = [];
  try {
    const sessions = createSessions(directory, wishes.sessions);
    const gone: Gone[] = [];
    const living: Child[] = [];
    let born = 0;
    const bear = (): void => {
      born += 1;
      living.push(startChild(wishes.program, directory, `p${born}`, chance, sessions));
    };
    for (let n = 0; n < wishes.processes; n += 1) bear();
    const until = performance.now() + wishes.milliseconds;
    for (;;) {
      const peaceMs = PEACE_MS.least + chance.next() * (PEACE_MS.most - PEACE_MS.least);
      await delay(Math.min(peaceMs, until - performance.now()));
      if (performance.now() >= until) break;
      const [victim] = living.splice(chance.whole(living.length), 1);
      if (victim !== undefined) gone.push({ child: victim, killedAt: await kill(victim) });
      bear();
    }
    for (const child of living) {
      if (!(await leave(child))) wrong.push(`${child.name} did not leave`);
      gone.push({ child, killedAt: null });
    }
    const journals = gone.map(({ child, killedAt }) =>
      readJournal(child.journal, child.name, killedAt),
    );
    for (const { child } of gone)
      if (child.stderr() !== "") wrong.push(`${child.name} complained: ${child.stderr()}`);
    lookOnce(directory);
    const kills = gone.filter(({ killedAt }) => killedAt !== null).length;
    return { journals, records: readRecords(directory), kills, wrong };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Child {
  readonly name: string;
  readonly journal: string;
  readonly process: ReturnType<typeof spawn>;
  readonly exited: Promise<unknown>;
  readonly stderr: () => string;
}

interface Gone {
  readonly child: Child;
  readonly killedAt: number | null;
}

function startChild(
  program: string,
  directory: string,
  name: string,
  chance: Chance,
  sessions: readonly string[],
): Child {
  const journal = join(directory, `${name}.jsonl`);
  const seed = String(chance.whole(2 ** 32));
  const child = spawn(process.execPath, [program, directory, journal, name, seed, ...sessions], {
    stdio: ["pipe", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.on("error", () => {}); // it may be dead
  return { name, journal, process: child, exited: once(child, "close"), stderr: () => stderr };
}

/** The moment before the signal: what it did until then is in its journal. */
async function kill(child: Child): Promise<number> {
  const at = microseconds();
  child.process.kill("SIGKILL");
  await child.exited;
  return at;
}

/** False when it had to be killed, or failed. */
async function leave(child: Child): Promise<boolean> {
  child.process.stdin?.end("leave\n");
  const timer = setTimeout(() => child.process.kill("SIGKILL"), LEAVE_MS);
  await child.exited;
  clearTimeout(timer);
  return child.process.exitCode === 0;
}

function createSessions(directory: string, count: number): readonly string[] {
  const store = openStore(directory, { limitBytes: null });
  const ids = Array.from(
    { length: count },
    () => store.sessions.create({ id: newSessionId(), title: "many", now: 1 }).id,
  );
  store.close();
  return ids;
}

/** Whoever comes next settles what the dead left open. */
function lookOnce(directory: string): void {
  const store = openStore(directory, { limitBytes: null });
  idleDispatcher(store).recover();
  store.close();
}

const idleDispatcher = (store: Store) =>
  createDispatcher({
    store,
    clock: systemClock,
    random: () => 0,
    prepareTurn: async () => {
      throw new Error("nothing runs here");
    },
    publish: () => {},
    onInterrupted: () => {},
  });
