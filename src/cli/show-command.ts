import { ENDINGS } from "../protocol/ending.ts";
import type { RunId } from "../protocol/ids.ts";
import { remedyOf } from "../protocol/remedy.ts";
import type { RunRecord } from "../protocol/run-record.ts";
import type { Flags } from "./flag-values.ts";
import { controlFilter } from "./control-filter.ts";
import { oneLine } from "./one-line.ts";
import { promptLine } from "./prompt-line.ts";
import { printOut } from "./print-out.ts";
import { timeLimit } from "./time-limit.ts";
import { withWorkspace } from "./with-workspace.ts";

const SHOW_MS = 60_000;

/** `crush show`: what became of a run, for a person; its text last. Nothing in it moves a terminal, through a pager either. */
export async function showCommand(runId: string, flags: Flags): Promise<number> {
  const signal = timeLimit(SHOW_MS, "try again");
  const record = await withWorkspace(
    flags,
    signal,
    async (client) => await client.getRun(runId as RunId, signal),
  );
  return await printOut(controlFilter()(describe(record)));
}

function describe(record: RunRecord): string {
  const { outcome } = record;
  const time = (ms: number | null): string => (ms === null ? "-" : new Date(ms).toISOString());
  const rows: [string, string][] = [
    ["run", record.runId],
    ["session", record.sessionId],
    ["state", record.state],
  ];
  if (outcome !== null) {
    const { status, exitCode, retryable } = ENDINGS[outcome.reason];
    const { usage } = outcome;
    rows.push(
      ["status", status],
      ["reason", outcome.reason],
      ["exit", `${exitCode}${retryable ? " (may be tried again)" : ""}`],
    );
    if (outcome.failure !== null)
      rows.push(
        ["error", oneLine(outcome.failure.message)],
        ["remedy", oneLine(remedyOf(outcome.failure))],
      );
    rows.push(
      ["model", outcome.models.join(", ") || "-"],
      [
        "tokens",
        `${usage.inputTokens} in (${usage.cachedInputTokens} cached), ${usage.outputTokens} out`,
      ],
      ["cost", outcome.costUsd === null ? "unknown" : `$${outcome.costUsd.toFixed(6)}`],
      ["steps", `${outcome.turns}, with ${outcome.toolCalls} tool calls`],
    );
  }
  rows.push(
    ["accepted", time(record.acceptedAt)],
    ["started", time(record.startedAt)],
    ["ended", time(record.endedAt)],
    ["prompt", promptLine(record.prompt)],
  );
  const head = rows.map(([name, value]) => `${name.padEnd(9)} ${value}\n`).join("");
  const text = outcome?.text ?? "";
  if (text === "") return head;
  const title = outcome?.partial === true ? "what it said until then:" : "its answer:";
  return `${head}\n${title}\n${text}${text.endsWith("\n") ? "" : "\n"}`;
}
