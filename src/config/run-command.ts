import { setTimeout as delay } from "node:timers/promises";
import { childScope } from "../shared/scope.ts";
import { ExpandFailed } from "./template.ts";

const MAX_OUTPUT = 64 * 1024;
/** How long a process that left the group may hold our pipe after the shell has ended. */
const PIPE_GRACE_MS = 500;

interface CommandOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * The output of `sh -c command`, trailing newlines removed: stdin closed, own process group, at most 64 KiB. The group is gone
 * when this settles. Throws `ExpandFailed`, or `signal.reason` when aborted.
 */
export async function runCommand(command: string, options: CommandOptions): Promise<string> {
  options.signal.throwIfAborted();
  const { cwd, env } = options;
  const { spawn } = await import("node:child_process");
  const child = spawn("sh", ["-c", command], {
    cwd,
    env: { ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let ended = false; // then its number may belong to somebody else
  const killGroup = (): void => {
    if (child.pid === undefined || ended) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // ESRCH: the whole group has ended already.
    }
  };

  using scope = childScope(options.signal);
  const stopped: string[] = [];
  const stop = (why: string): void => {
    stopped.push(why);
    killGroup();
  };
  scope.signal.addEventListener("abort", killGroup, { once: true });
  const timer = setTimeout(
    () => stop(`did not end within ${options.timeoutMs / 1000} s`),
    options.timeoutMs,
  );

  let output: Buffer = Buffer.alloc(0);
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output = Buffer.concat([output, chunk]);
    if (output.length > MAX_OUTPUT) stop("printed more than 64 KiB");
  });
  child.stderr.on("data", (chunk: Buffer) => {
    if (errors.length < 1024) errors += chunk.toString("utf8");
  });

  try {
    const closed = new Promise<void>((resolve) => {
      child.once("close", () => resolve());
    });
    const status = await new Promise<string | null>((resolve, reject) => {
      child.once("error", (error) =>
        reject(new ExpandFailed("sh could not be started", { cause: error })),
      );
      child.once("exit", (code, signal) => resolve(code === 0 ? null : (signal ?? String(code))));
    });
    killGroup(); // what it left behind in its group
    ended = true;
    await Promise.race([closed, delay(PIPE_GRACE_MS, undefined, { signal: scope.signal })]);
    options.signal.throwIfAborted();
    if (stopped[0]) throw new ExpandFailed(`its command ${stopped[0]}`);
    if (status !== null) throw new ExpandFailed(`its command failed (${status})${said(errors)}`);
    return output.toString("utf8").replace(/[\r\n]+$/, "");
  } catch (error) {
    options.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    killGroup();
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

function said(errors: string): string {
  const line = errors.trim().split("\n")[0]?.slice(0, 200) ?? "";
  return line === "" ? "" : `: ${line}`;
}
