import type * as fc from "fast-check";
import { newSessionId, type SessionId } from "../../src/protocol/ids.ts";
import type { StoreKind } from "../support/disk.ts";
import { startProcess, type Process, type ProcessWishes } from "./process.ts";
import type { Rejected, Tracked } from "./prompts.ts";
import { race, type Race } from "./race.ts";
import { verdict } from "./verdict.ts";

/** Processes on one disk, and the clients that ask them for things, in one schedule. */
export interface World {
  readonly race: Race;
  readonly prompts: readonly Tracked[];
  readonly rejected: readonly Rejected[];
  readonly processes: readonly Process[];
  start(wishes?: ProcessWishes): Process;
  session(): SessionId;
  /** A client does one thing after the other; the scheduler chooses when. */
  client(name: string, ...deeds: (() => unknown)[]): void;
  /** Says what may not be. */
  must(holds: boolean, what: string): void;
  /** Everything that was begun comes to its end. */
  drive(): Promise<void>;
}

export interface WorldWishes {
  /** Some writes fail: what could not be stored may be missing. */
  readonly storeFails?: boolean;
}

/** Deeds of a client that lets others go first: without them it is mostly there before anything has happened. */
export const letsPass = (turns: number): (() => void)[] =>
  Array.from({ length: turns }, () => () => {});

/** Plays one schedule to its end, looks at what is left, and throws when a promise was broken. */
export async function inWorld(
  stores: StoreKind,
  scheduler: fc.Scheduler,
  play: (world: World) => void | Promise<void>,
  { storeFails = false }: WorldWishes = {},
): Promise<void> {
  using disk = stores.disk();
  using schedule = race(scheduler);
  const prompts: Tracked[] = [];
  const rejected: Rejected[] = [];
  const processes: Process[] = [];
  const common = { race: schedule, prompts, rejected, storeMayFail: storeFails, counted: 0 };
  const world: World = {
    race: schedule,
    prompts,
    rejected,
    processes,
    start: (wishes = {}) => {
      const name = "ABCDEFGH"[processes.length] ?? "?";
      const process = startProcess(name, disk.open(), common, wishes);
      processes.push(process);
      return process;
    },
    session: () => {
      const [{ store }] = processes as [Process];
      return store.sessions.create({ id: newSessionId(), title: "t", now: 1 }).id;
    },
    client: (name, ...deeds) => {
      void (async () => {
        for (const deed of deeds) {
          await schedule.turn(name);
          await deed();
        }
      })();
    },
    must: (holds, what) => {
      if (!holds) schedule.broken.push(what);
    },
    drive: schedule.drive,
  };
  await play(world);
  await schedule.drive();
  for (const { name, seq, process } of prompts) {
    const home = processes.find((one) => one.name === process);
    if (home?.state === "lives" && home.store.runs.outcome(seq) === null)
      world.must(false, `${name} waits for ever`);
  }
  // Whoever comes next settles what the dead have left.
  const heir = world.start();
  heir.dispatcher.recover();
  await schedule.drive();
  const leavings = { store: heir.store, processes, prompts, rejected, storeFailed: storeFails };
  const faults = [...schedule.broken, ...verdict(leavings)];
  for (const process of processes) if (process.state === "lives") void process.shutdown();
  await schedule.drive();
  if (schedule.time.timers() > 0) faults.push(`${schedule.time.timers()} timers are left`);
  faults.push(...schedule.broken.filter((fault) => !faults.includes(fault)));
  if (faults.length > 0) throw new Error(faults.join("\n"));
}
