import { randomUUID } from "node:crypto";
import type { ResultDocument } from "../run/result-document.ts";
import { stepOutputs } from "../run/step-outputs.ts";
import { stepSummary } from "../run/step-summary.ts";
import { annotations } from "./annotations.ts";
import { appendTo } from "./append-to.ts";
import type { CiReport } from "./ci-report.ts";
import { writeNews } from "./error-line.ts";
import { knownRun } from "./known-run.ts";
import { codeOf } from "./side-file.ts";
import { mayBeLog, mayOvertakeNews } from "./step-log.ts";
import { commandWatch, workflowCommand } from "./workflow-commands.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** GitHub drops the whole summary of a step that is longer; the other steps of the script want some too. */
const MOST_SUMMARY_BYTES = 1024 * 1024;
const LEFT_FOR_OTHERS = 64 * 1024;
/** Shorter lines of a secret stand in ordinary text. */
const LEAST_SECRET_LENGTH = 6;

/**
 * A step of GitHub Actions: masks, annotations, a summary, outputs. Commands go to standard error, since standard output carries the
 * answer. The runner looks for commands in both, so they are off, by a token that nobody can foresee, while the run may print what the
 * agent or its tools said.
 */
export function githubReport(env: Env): CiReport {
  const run = knownRun();
  let token: string | null = null;
  /** Behind half a line a command is none. The script may have left one: a mask that is not obeyed would show the secret. */
  let isMidLine = true;
  const announced = new Set<string>();
  const watch = commandWatch();
  // The runner reads the two pipes at its own pace: the end of the answer may come to it after what we say behind it.
  const mayOvertake = mayOvertakeNews();
  /** A mask has the secret in it: only for a runner, which does not show it. */
  const mayMask = (): boolean => env["GITHUB_ACTIONS"] === "true" && mayBeLog();
  const stop = (): string => {
    if (token !== null) return "";
    token = `crush-run-${randomUUID()}`;
    return workflowCommand("stop-commands", token);
  };
  /** Null: the answer has lines that could be taken for commands, and they may be read yet. */
  const resume = (): string | null => {
    if (mayOvertake && watch.found()) return null;
    const resumed = token === null ? "" : workflowCommand(token, "");
    token = null;
    return resumed;
  };
  const write = (text: string): void => {
    if (text === "") return;
    process.stderr.write(`${isMidLine ? "\n" : ""}${text}`);
    isMidLine = false;
  };
  return {
    watched: (stdout) => ({
      ...stdout,
      write: async (text) => {
        watch.see(text);
        if (text !== "" && !mayOvertake) isMidLine = !text.endsWith("\n");
        await stdout.write(text);
      },
    }),
    know: run.know,
    tell: run.tell,
    tellSecrets: (known) => {
      const fresh = maskedLines(known).filter((line) => !announced.has(line));
      const resumed = fresh.length > 0 && mayMask() ? resume() : null;
      if (resumed !== null) {
        write(resumed);
        for (const line of fresh) {
          announced.add(line);
          write(workflowCommand("add-mask", line));
        }
      }
      write(stop());
    },
    hush: () => write(stop()),
    end: async (end, exitCode) => {
      const result = run.result(end, exitCode);
      const problems = [
        problemOf("GITHUB_STEP_SUMMARY", env, (size) => summaryOf(result, size)),
        problemOf("GITHUB_OUTPUT", env, () => stepOutputs(result, `crush-run-${randomUUID()}`)),
      ].filter((problem) => problem !== null);
      const plain = stop() + problems.map((problem) => `warning: ${problem}\n`).join("");
      const resumed = resume();
      const commands =
        resumed === null ? COMMANDS_STAY_OFF : resumed + annotations(result, problems).join("");
      await writeNews(`${isMidLine ? "\n" : ""}${plain}${commands}`);
    },
  };
}

const COMMANDS_STAY_OFF =
  "note: the answer has lines that look like workflow commands, so commands stay off for the rest of this step, annotations too\n";

/** The runner masks line by line. */
const maskedLines = (secrets: readonly string[]): readonly string[] =>
  secrets
    .flatMap((secret) => secret.split(/[\r\n]+/))
    .map((line) => line.trim())
    .filter((line) => line.length >= LEAST_SECRET_LENGTH);

function summaryOf(result: ResultDocument, size: number): string {
  const summary = stepSummary(result, MOST_SUMMARY_BYTES - LEFT_FOR_OTHERS - size);
  if (summary !== null) return summary;
  throw new Error("it is full");
}

/** Why a file of the runner's did not get its part; null when it did, or when this runner has no such file. */
function problemOf(
  variable: "GITHUB_STEP_SUMMARY" | "GITHUB_OUTPUT",
  env: Env,
  make: (size: number) => string,
): string | null {
  const path = env[variable] ?? "";
  if (path === "") return null;
  try {
    appendTo(path, make);
    return null;
  } catch (error) {
    return `nothing was added to ${path} of $${variable}: ${codeOf(error)}`;
  }
}
