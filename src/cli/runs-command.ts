import { ENDINGS } from "../protocol/ending.ts";
import type { RunRecord } from "../protocol/run-record.ts";
import { promptLine } from "./prompt-line.ts";
import type { Flags } from "./flag-values.ts";
import { printOut } from "./print-out.ts";
import { timeLimit } from "./time-limit.ts";
import { withWorkspace } from "./with-workspace.ts";

const LIST_MS = 60_000;

/** `crush runs`: a line a run, newest first: id, when, how it stands, the prompt. */
export async function runsCommand(flags: Flags): Promise<number> {
  const signal = timeLimit(LIST_MS, "try again");
  const records = await withWorkspace(
    flags,
    signal,
    async (client) => await client.listRuns(signal),
  );
  return await printOut(records.map(lineOf).join(""));
}

function lineOf({ runId, acceptedAt, state, outcome, prompt }: RunRecord): string {
  const when = new Date(acceptedAt).toISOString().slice(0, 19);
  const standing =
    outcome === null ? state : `${ENDINGS[outcome.reason].status} (${outcome.reason})`;
  return `${runId}  ${when}Z  ${standing.padEnd(30)}  ${promptLine(prompt, 60)}\n`;
}
