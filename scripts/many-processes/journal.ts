import { appendFileSync, readFileSync } from "node:fs";
import type { Reason } from "../../src/protocol/ending.ts";

/** What one process saw and did, as it happened; times are microseconds of the machine's monotonic clock, the same for all. */
export type Entry =
  | { readonly is: "born"; readonly owner: string }
  | {
      readonly is: "accepted";
      readonly seq: number;
      readonly runId: string | null;
      readonly session: string;
      readonly prompt: string;
      /** When the call began; the time of the entry is when it returned. */
      readonly asked: number;
    }
  | { readonly is: "attached"; readonly runId: string; readonly open: boolean }
  | {
      readonly is: "cancelled";
      readonly what: "session" | "run" | "queue";
      readonly session: string;
      /** Names this one cancel. */
      readonly by: string;
      readonly asked: number;
    }
  /** A turn began: its prompt holds the slot of its session. */
  | { readonly is: "turn"; readonly session: string; readonly prompt: string }
  | { readonly is: "calls"; readonly session: string; readonly call: number }
  | { readonly is: "called"; readonly session: string; readonly call: number }
  | {
      readonly is: "told";
      readonly runId: string | null;
      readonly session: string;
      readonly cancelled: boolean;
      readonly reason: Reason | null;
      readonly text: string;
    }
  /** What must not be. */
  | { readonly is: "wrong"; readonly what: string }
  /** Everything of its own is settled, and it leaves. */
  | { readonly is: "left" };

export type Timed = Entry & { readonly at: number };

/** Everything that one process wrote. */
export interface Journal {
  readonly name: string;
  readonly owner: string | null;
  readonly entries: readonly Timed[];
  /** When its SIGKILL was sent; null when it left by itself. */
  readonly killedAt: number | null;
}

export const microseconds = (): number => Number(process.hrtime.bigint() / 1_000n);

/** One line each, in the kernel's hands when it returns: a SIGKILL takes nothing of it. */
export const writeEntry = (file: string, entry: Entry): void =>
  appendFileSync(file, `${JSON.stringify({ ...entry, at: microseconds() })}\n`);

export function readJournal(file: string, name: string, killedAt: number | null): Journal {
  const entries = readFileSync(file, { encoding: "utf8", flag: "a+" })
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Timed);
  const born = entries.find((entry) => entry.is === "born");
  return { name, owner: born?.owner ?? null, entries, killedAt };
}
