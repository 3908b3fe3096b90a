import type { ResultDocument } from "../run/result-document.ts";
import { shortened } from "../shared/cut.ts";
import { controlFilter } from "./control-filter.ts";
import { workflowCommand } from "./workflow-commands.ts";

/** GitHub shows ten of a kind for each step, and its own for the exit status is one of them. */
const MOST_WARNINGS = 9;
const LONGEST = 4_000;

/** What a run has to say to whoever looks at the workflow: why it failed, and its warnings. `more` are warnings about the report itself. */
export function annotations(result: ResultDocument, more: readonly string[]): readonly string[] {
  const { reason, error, denials } = result;
  const warnings = [
    ...denials.map(({ name, rule, remedy }) => `${name} was refused (${rule}); ${remedy}`),
    ...result.warnings,
    ...more,
  ];
  const left = warnings.length - MOST_WARNINGS;
  const shown = left > 0 ? warnings.slice(0, MOST_WARNINGS - 1) : warnings;
  // As for the `error:` line: a reader that left knows.
  const failed = error === null || reason === "reader_left" ? [] : [error];
  return [
    ...failed.map(({ message, remedy }) =>
      workflowCommand("error", oneLine(`${message}; ${remedy}`), {
        title: `crush run (${reason})`,
      }),
    ),
    ...shown.map((warning) => warningOf(oneLine(warning))),
    ...(left > 0 ? [warningOf(`and ${left + 1} more warnings`)] : []),
  ];
}

const warningOf = (text: string): string =>
  workflowCommand("warning", text, { title: "crush run" });

const oneLine = (text: string): string =>
  shortened(controlFilter()(text.replace(/\s+/g, " ")).trim(), LONGEST);
