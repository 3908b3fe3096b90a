import { readdirSync, readFileSync } from "node:fs";

/** Process ids whose command line holds `mark`, zombies not counted. Linux. */
export function living(mark: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
    .filter((pid) => commandLineOf(pid).includes(mark));
}

function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return ""; // gone meanwhile
  }
}
