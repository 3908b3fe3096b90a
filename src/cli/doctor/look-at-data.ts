import { existsSync, mkdtempSync, rmSync, statfsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { failure, RunFailed } from "../../protocol/ending.ts";
import { inspectStore } from "../../store/inspect-store.ts";
import { LOCK_FREE, LOCK_HELD, probeLock } from "../../store/lock-probe.ts";
import { asStorageFailure } from "../../store/storage-failure.ts";
import { runInGroup } from "../../tools/process-group.ts";
import { dieOf, watchSignals } from "../signals.ts";
import { fine, note, problem, warning, type DoctorFinding } from "./finding.ts";
import type { ToolPlace } from "./look-at-tools.ts";

const PROBE_MS = 4_000;
/** Less is soon full: a long run writes some MiB. */
const FEW_BYTES = 64 * 1024 * 1024;

/** The data directory: whether sessions and runs can be kept. */
export async function lookAtData(
  directory: string,
  place: ToolPlace,
  signal: AbortSignal,
): Promise<readonly DoctorFinding[]> {
  return [
    ...(await tried("data", async () => await writable(directory, place, signal))),
    ...(await tried("store", async () => [store(directory)])),
  ];
}

async function tried(
  topic: string,
  look: () => Promise<readonly DoctorFinding[]>,
): Promise<readonly DoctorFinding[]> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof RunFailed) return [problem(topic, error.failure)];
    throw error;
  }
}

/** Makes a directory where the run would make its files, and takes it away, whatever ends us but SIGKILL. */
async function writable(
  directory: string,
  place: ToolPlace,
  signal: AbortSignal,
): Promise<readonly DoctorFinding[]> {
  const existing = nearestExisting(directory);
  if (!statSync(existing).isDirectory())
    throw new RunFailed(
      failure("storage", `${existing} is not a directory`, {
        remedy: "take it away, or name another data directory with --data-dir",
      }),
    );
  let probed: string | null = null;
  const clean = (): void => {
    if (probed !== null) rmSync(probed, { recursive: true, force: true });
  };
  using _watch = watchSignals((received) => {
    clean();
    dieOf(received);
  });
  try {
    probed = mkdtempSync(join(existing, ".crush-doctor-"));
    const locks = await lookAtLocks(probed, place, signal);
    const state = existing === directory ? "writable" : "not there yet; it can be made";
    return [fine("data", `${directory}: ${state}`), space(existing), locks];
  } catch (error) {
    signal.throwIfAborted();
    throw asStorageFailure(error, directory);
  } finally {
    clean();
  }
}

function nearestExisting(path: string): string {
  let at = path;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  return at;
}

function space(directory: string): DoctorFinding {
  const { bavail, bsize } = statfsSync(directory);
  const free = bavail * bsize;
  const text = `${inMebibytes(free)} free`;
  return free < FEW_BYTES
    ? warning("disk", text, "free some space, or name another data directory with --data-dir")
    : fine("disk", text);
}

async function lookAtLocks(
  directory: string,
  { cwd, env }: ToolPlace,
  signal: AbortSignal,
): Promise<DoctorFinding> {
  using probe = probeLock(directory);
  const end = await runInGroup({
    file: probe.file,
    args: probe.args,
    cwd,
    env,
    timeLimitMs: PROBE_MS,
    keepHead: 4096,
    keepTail: 0,
    onProgress: () => {},
    signal,
  });
  const said = end.type === "ended" ? end.stdout.text(() => "").text : "";
  if (said === LOCK_HELD) return fine("locks", "processes see each other's locks");
  return said === LOCK_FREE
    ? warning(
        "locks",
        "locks do not keep processes apart on this file system: two runs at once may take each other for dead",
        "name a data directory on a local disk with --data-dir, or start one run at a time",
      )
    : note("locks", "could not be tried: a second process did not start");
}

function store(directory: string): DoctorFinding {
  const state = inspectStore(directory);
  if (state === null) return note("store", "none yet: the first run makes it");
  const { bytes, version, ours, isChecked } = state;
  const age = version === ours ? "" : `, of schema ${version}: the next run brings it to ${ours}`;
  const check = isChecked ? "SQLite finds it whole" : "readable, too large for a quick check";
  return fine("store", `${inMebibytes(bytes)}, ${check}${age}`);
}

const inMebibytes = (bytes: number): string => {
  const mebibytes = bytes / 1024 / 1024;
  return mebibytes < 1024 ? `${mebibytes.toFixed(1)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
};
