import { fstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from "node:fs";

/**
 * Whether standard error may be the log of the step. It is not when it goes to a file or a terminal, nor (as far as Linux lets us see)
 * when another command of the script reads it, as in `2>&1 | tee`.
 */
export function mayBeLog(): boolean {
  return isPipe(fstatSync(2)) && !isReadBeside(2);
}

/** Whether text on standard output may reach the log at another time than what is on standard error. */
export function mayOvertakeNews(): boolean {
  const out = fstatSync(1);
  return isPipe(out) && !isSame(out, fstatSync(2));
}

const isPipe = (stats: Stats): boolean => stats.isFIFO() || stats.isSocket();

const isSame = (a: Stats, b: Stats): boolean => a.dev === b.dev && a.ino === b.ino;

/** Whether a process reads this pipe that did not start us; false where that cannot be seen. */
function isReadBeside(fd: number): boolean {
  if (process.platform !== "linux") return false;
  try {
    const pipe = readlinkSync(`/proc/self/fd/${fd}`);
    const above = ancestors();
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && !above.has(name))
      .some((pid) => reads(pid, pipe));
  } catch {
    return false;
  }
}

function reads(pid: string, pipe: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some(
      (fd) =>
        readlinkSync(`/proc/${pid}/fd/${fd}`) === pipe &&
        /^flags:\s*\d*0$/m.test(readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8")),
    );
  } catch {
    return false; // somebody else's, or gone
  }
}

/** With ourselves. */
function ancestors(): ReadonlySet<string> {
  const found = new Set<string>();
  let pid = `${process.pid}`;
  while (pid !== "0" && !found.has(pid)) {
    found.add(pid);
    pid = parentOf(pid);
  }
  return found;
}

function parentOf(pid: string): string {
  try {
    return /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
  } catch {
    return "0";
  }
}
