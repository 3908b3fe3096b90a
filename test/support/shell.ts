import { spawn } from "node:child_process";
import { once } from "node:events";
import { CRUSH, type CrushPlace } from "./crush.ts";

export interface ShellEnd {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly wallMs: number;
}

/**
 * Runs a bash script in the place, where `crush` (and `$CRUSH`) is the built executable: for pipes and redirections that only a shell makes.
 * Everything that it started is killed after `withinMs`.
 */
export async function shell(
  place: CrushPlace,
  script: string,
  withinMs = 20_000,
): Promise<ShellEnd> {
  const started = performance.now();
  const child = spawn("bash", ["-c", `crush() { "$CRUSH" "$@"; }\n${script}`], {
    cwd: place.work,
    env: { ...place.env, CRUSH },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), "SIGKILL"), withinMs);
  const [status] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  const [stdout, stderr] = [Buffer.concat(out).toString(), Buffer.concat(err).toString()];
  if (status === null) throw new Error(`${script}: did not end\n${stdout}\n${stderr}`);
  return { status, stdout, stderr, wallMs: performance.now() - started };
}
