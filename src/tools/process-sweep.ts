import { readdirSync, readFileSync } from "node:fs";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import { monotonicMs } from "../shared/clock.ts";

/** Between TERM and KILL. */
const GRACE_MS = 1000;
/** After KILL a process is gone at once, unless the kernel holds it: then nobody can help. */
const GIVE_UP_MS = 500;

interface Target {
  /** Bytes that stand in the environment of every process meant. */
  readonly marker: string;
  /** A process group that is meant as a whole. */
  readonly groupId: number | null;
}

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly state: string;
}

/**
 * Ends every process that a run has started and that is still alive: TERM, then KILL after a second. Finds
 * them by `CRUSH_RUN_MARK` in their environment, so a `setsid` child too; needs Linux, elsewhere it does nothing.
 * `signal` cuts the grace short. Never signals ourselves. Resolves with the number of processes it signalled.
 */
export function sweepRun(mark: string, signal: AbortSignal): Promise<number> {
  return sweep({ marker: `CRUSH_RUN_MARK=${mark}\0`, groupId: null }, signal);
}

/** As `sweepRun`, for a marker of one's own and, on every POSIX system, a process group. */
export async function sweep(target: Target, signal?: AbortSignal): Promise<number> {
  const started = monotonicMs();
  const termed = new Set<number>();
  let pause = 5;
  for (;;) {
    // Descendants are looked up before anything dies: an orphan has no parent to be found by.
    const alive = await sight(target);
    if (alive.length === 0 && !groupLives(target.groupId)) return termed.size;
    const waited = monotonicMs() - started;
    if (waited > GRACE_MS + GIVE_UP_MS) return termed.size;
    const hard = waited >= GRACE_MS || signal?.aborted === true;
    if (target.groupId !== null && (hard || termed.size === 0))
      send(-target.groupId, hard ? "SIGKILL" : "SIGTERM");
    for (const pid of alive) {
      if (hard) send(pid, "SIGKILL");
      else if (!termed.has(pid)) send(pid, "SIGTERM");
      termed.add(pid);
    }
    await delay(pause);
    pause = Math.min(pause * 2, 50);
  }
}

/** For systems without /proc. (Where there is one, the group was looked at there: a zombie is not alive.) */
function groupLives(groupId: number | null): boolean {
  return process.platform !== "linux" && groupId !== null && send(-groupId, 0);
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false; // gone already, or not ours to signal
  }
}

/** Live processes with the marker or in the group, and all their descendants. */
async function sight(target: Target): Promise<readonly number[]> {
  const pids = processIds();
  const marked = new Set<number>();
  for (const [index, pid] of pids.entries()) {
    if (index % 256 === 255) await nextTurn();
    if (environmentOf(pid)?.includes(target.marker) === true) marked.add(pid);
  }
  // The usual case: nothing was left behind, and one read per process is enough.
  const grouped = target.groupId !== null && send(-target.groupId, 0);
  if (marked.size === 0 && !grouped) return [];
  const table = pids.map(entryOf).filter((entry) => entry !== null);
  for (const entry of table) if (grouped && entry.group === target.groupId) marked.add(entry.pid);
  for (let before = -1; before !== marked.size;) {
    before = marked.size;
    for (const entry of table) if (marked.has(entry.parent)) marked.add(entry.pid);
  }
  const living = table.filter((entry) => entry.state !== "Z" && entry.state !== "X");
  return living.map((entry) => entry.pid).filter((pid) => marked.has(pid) && pid !== process.pid);
}

function processIds(): number[] {
  if (process.platform !== "linux") return [];
  try {
    return readdirSync("/proc")
      .map(Number)
      .filter((pid) => Number.isInteger(pid) && pid > 0 && pid !== process.pid);
  } catch {
    return []; // no /proc here: the group is all we can see
  }
}

function environmentOf(pid: number): Buffer | null {
  try {
    return readFileSync(`/proc/${pid}/environ`);
  } catch {
    return null; // gone meanwhile, or another user's
  }
}

function entryOf(pid: number): ProcessEntry | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The command name may hold blanks and parentheses: the fields start after the last one.
    const [state = "", parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { pid, state, parent: Number(parent), group: Number(group) };
  } catch {
    return null;
  }
}
