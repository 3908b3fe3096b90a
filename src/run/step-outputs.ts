import { cutBytes } from "../shared/cut.ts";
import type { ResultDocument } from "./result-document.ts";

/** GitHub takes 1 MiB for all outputs of a job. */
const MOST_TEXT_BYTES = 64 * 1024;

/** What later steps of a job may ask of a run, as lines for `$GITHUB_OUTPUT`. `delimiter` must be one that nobody could foresee. */
export function stepOutputs(result: ResultDocument, delimiter: string): string {
  const text = cutBytes(result.text, MOST_TEXT_BYTES);
  const outputs = {
    status: result.status,
    reason: result.reason,
    exit_code: `${result.exit_code}`,
    run_id: result.run_id ?? "",
    session_id: result.session_id ?? "",
    cost_usd: result.cost_usd === null ? "" : `${result.cost_usd}`,
    text,
    text_truncated: `${text !== result.text}`,
  };
  return Object.entries(outputs)
    .map(([name, value]) => `${name}<<${delimiter}\n${value}\n${delimiter}\n`)
    .join("");
}
