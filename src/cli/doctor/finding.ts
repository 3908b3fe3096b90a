import type { RunFailure } from "../../protocol/ending.ts";

/** One thing that `crush doctor` has looked at. */
export interface DoctorFinding {
  readonly topic: string;
  /** A problem ends every run with `reason`; a warning some runs, or a part of one; a note is for information. */
  readonly state: "ok" | "note" | "warning" | "problem";
  readonly text: string;
  readonly remedy: string | null;
  readonly reason: RunFailure["reason"] | null;
}

type Told = (topic: string, text: string, remedy?: string | null) => DoctorFinding;

const told =
  (state: DoctorFinding["state"]): Told =>
  (topic, text, remedy = null) => ({ topic, state, text, remedy, reason: null });

export const fine = told("ok");
export const note = told("note");
export const warning = told("warning");

export const problem = (
  topic: string,
  { reason, message, remedy }: Pick<RunFailure, "reason" | "message" | "remedy">,
): DoctorFinding => ({ topic, state: "problem", text: message, remedy, reason });
