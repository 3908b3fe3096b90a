import type { RunEvent } from "../protocol/run-event.ts";
import type { RunFacts } from "../run/result-document.ts";
import type { Answer } from "./answer.ts";
import type { Flags } from "./flag-values.ts";
import type { Stdout } from "./stdout.ts";
import type { Ending } from "./worse-ending.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** What `--ci` may say. */
export const CI_SYSTEMS = ["auto", "github", "none"] as const;

/** What a run tells the CI system that it is a step of, beside its output and its exit status. */
export interface CiReport {
  /** The same, and what is written to it is known. */
  watched(stdout: Stdout): Stdout;
  know(facts: Partial<RunFacts>): void;
  tell(event: RunEvent): void;
  /** Those of the configuration that are known by now: to be told each time there may be more. */
  tellSecrets(secrets: readonly string[]): void;
  /** From here on nothing that is printed is a command to the CI system. */
  hush(): void;
  /** Everything else is written. What goes wrong here is told, and changes no exit status. */
  end(end: Ending, exitCode: number): Promise<void>;
}

/** Does not judge the flag: that is for `readRequest`. */
export async function openCiReport(flags: Flags, env: Env): Promise<CiReport> {
  return isOnGitHub(flags, env)
    ? (await import("./github-report.ts")).githubReport(env)
    : NO_REPORT;
}

function isOnGitHub(flags: Flags, env: Env): boolean {
  const [asked = "auto"] = flags.texts("ci");
  return asked === "github" || (asked === "auto" && env["GITHUB_ACTIONS"] === "true");
}

const NO_REPORT: CiReport = {
  watched: (stdout) => stdout,
  know: () => {},
  tell: () => {},
  tellSecrets: () => {},
  hush: () => {},
  end: async () => {},
};

/** The answer, and all that it is told the report is told as well. */
export const reportedTo = (report: CiReport, answer: Answer): Answer => ({
  ...answer,
  know: (facts) => {
    report.know(facts);
    answer.know(facts);
  },
  tell: (event, progress) => {
    report.tell(event);
    return answer.tell(event, progress);
  },
});
