import type { CrushOptions, CrushPlace } from "./crush.ts";

/** As `crush doctor --json` prints it. */
export interface Finding {
  readonly topic: string;
  readonly state: string;
  readonly text: string;
  readonly remedy: string | null;
  readonly reason: string | null;
}

/** What `crush doctor --json` finds, and how it ends. */
export async function examined(
  place: CrushPlace,
  args: readonly string[] = [],
  more: CrushOptions = {},
) {
  const { status, stdout, stderr } = await place.run(["doctor", "--json", ...args], more);
  const { ok, findings } = JSON.parse(stdout.toString()) as { ok: boolean; findings: Finding[] };
  return { status, ok, findings, stderr: stderr.toString(), stdout: stdout.toString() };
}

/** Those on one topic. */
export const on = (findings: readonly Finding[], topic: string): readonly Finding[] =>
  findings.filter((one) => one.topic === topic);
