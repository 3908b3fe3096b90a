import { readdirSync, readFileSync } from "node:fs";

/** Process ids whose command line holds `mark`, zombies not counted. Linux. */
export function living(mark: string): number[] {
  return others().filter((pid) => listOf(pid, "cmdline").join(" ").includes(mark));
}

/** Process ids of whatever a run has started: its id stands in their environment. Linux. */
export function livingOfRun(runId: string): number[] {
  return others().filter((pid) => listOf(pid, "environ").includes(`CRUSH_RUN_ID=${runId}`));
}

const others = (): number[] =>
  readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid);

function listOf(pid: number, file: "cmdline" | "environ"): string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").split("\0");
  } catch {
    return []; // gone meanwhile
  }
}
