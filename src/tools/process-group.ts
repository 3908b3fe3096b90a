import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { deferred } from "../shared/deferred.ts";
import { HeadTail } from "./bounded-text.ts";
import { sweep } from "./process-sweep.ts";

/** How long output may trail the exit: a process substitution that still writes, a pipe that still drains. */
const PIPE_GRACE_MS = 200;

export interface GroupCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeLimitMs: number;
  /** What is kept of each output stream, bytes. */
  readonly keepHead: number;
  readonly keepTail: number;
  /** End the command as soon as it has written this many bytes to stdout. */
  readonly enoughBytes?: number;
  /** Called as output arrives, with the bytes so far on both streams. */
  readonly onProgress: (bytes: number) => void;
  readonly signal: AbortSignal;
}

export type GroupEnd =
  | { readonly type: "not_started"; readonly message: string }
  | {
      readonly type: "ended";
      /** Null when a signal ended it. */
      readonly exitCode: number | null;
      readonly endedBy: NodeJS.Signals | null;
      readonly stopped: "time_limit" | "enough" | null;
      readonly stdout: HeadTail;
      readonly stderr: HeadTail;
      /** Processes that were still there after the exit, and were ended. */
      readonly leftBehind: number;
    };

/**
 * Runs a command in a process group of its own, stdin closed. It is over when the child exits, not when its
 * pipes close: a grandchild that holds one cannot hang us. Afterwards the group is ended, and on Linux
 * whatever else carries our mark in its environment (a `setsid` child). Rejects with `signal.reason` when
 * aborted, after everything was ended (TERM, KILL after a second).
 */
export async function runInGroup(command: GroupCommand): Promise<GroupEnd> {
  command.signal.throwIfAborted();
  const callId = randomUUID();
  const child = await start(command, callId);
  if (typeof child === "string") return { type: "not_started", message: child };
  const target = { marker: callId, groupId: child.pid ?? null };

  const stop = deferred<"time_limit" | "enough" | "abort">();
  const onAbort = (): void => stop.resolve("abort");
  command.signal.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => stop.resolve("time_limit"), command.timeLimitMs);
  try {
    const output = capture(child, command, () => stop.resolve("enough"));
    const closed = once(child, "close").catch(() => undefined);
    const exited = exitOf(child);
    const stopped = await Promise.race([exited.then(() => null), stop.promise]);
    // Stopped: end it now. Exited: let the last output through, then look for what it left behind.
    if (stopped === null) await within(PIPE_GRACE_MS, closed);
    const ended = await sweep(target);
    await within(PIPE_GRACE_MS, closed);
    if (stopped === "abort" || command.signal.aborted) throw command.signal.reason;
    return {
      type: "ended",
      exitCode: child.exitCode,
      endedBy: child.signalCode,
      stopped,
      ...output,
      leftBehind: stopped === null ? ended : 0,
    };
  } finally {
    clearTimeout(timer);
    command.signal.removeEventListener("abort", onAbort);
    child.stdout?.destroy();
    child.stderr?.destroy();
    child.unref(); // a process that even KILL cannot end must not hold ours
  }
}

/** The child once it runs, or why it cannot. */
async function start(command: GroupCommand, callId: string): Promise<ChildProcess | string> {
  // A list, so that a `crush` inside a `crush` stays within reach of the outer one.
  const outer = command.env["CRUSH_CALL_IDS"];
  const callIds = outer === undefined ? callId : `${outer}:${callId}`;
  try {
    const child = spawn(command.file, command.args, {
      cwd: command.cwd,
      env: { ...command.env, CRUSH_CALL_IDS: callIds },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    if (child.pid === undefined) await once(child, "spawn");
    child.on("error", () => {}); // signalling a child that is gone; nothing to do about it
    return child;
  } catch (error) {
    // `once` rejects with the `error` event; an argument list that is too long throws at once.
    if (!existsSync(command.cwd)) return `the working directory ${command.cwd} is gone`;
    return error instanceof Error ? error.message : String(error);
  }
}

function exitOf(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return once(child, "exit");
}

function capture(
  child: ChildProcess,
  command: GroupCommand,
  enough: () => void,
): { stdout: HeadTail; stderr: HeadTail } {
  const stdout = new HeadTail(command.keepHead, command.keepTail);
  const stderr = new HeadTail(command.keepHead, command.keepTail);
  const limit = command.enoughBytes ?? Number.POSITIVE_INFINITY;
  for (const [stream, kept] of [
    [child.stdout, stdout],
    [child.stderr, stderr],
  ] as const) {
    stream?.on("error", () => {}); // a broken pipe reads as its end
    stream?.on("data", (chunk: Buffer) => {
      kept.push(chunk);
      command.onProgress(stdout.total + stderr.total);
      if (stdout.total >= limit) enough();
    });
  }
  return { stdout, stderr };
}

/** Waits for `done`, at most `ms`. */
async function within(ms: number, done: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([done, delay(ms, undefined, { signal: timer.signal }).catch(() => {})]);
  timer.abort();
}
