import { junitDocument } from "../run/junit-document.ts";
import { monotonicMs } from "../shared/clock.ts";
import type { Answer } from "./answer.ts";
import { knownRun } from "./known-run.ts";
import type { patience } from "./patience.ts";
import type { SideFile } from "./side-file.ts";

/** The report of `--junit`, written whole at the end. */
export function junitWriter(
  { write }: Pick<SideFile, "write">,
  wait: ReturnType<typeof patience>,
): Pick<Answer, "know" | "tell" | "end"> {
  const run = knownRun();
  const startedAt = Date.now() - monotonicMs();
  return {
    know: run.know,
    tell: (event) => {
      run.tell(event);
      return undefined;
    },
    end: async (end, exitCode) => {
      const result = run.result(end, exitCode);
      return await wait(write(junitDocument({ result, title: run.title(), startedAt })));
    },
  };
}
