import type { RunEvent } from "../protocol/run-event.ts";
import { hear, NOTHING_HEARD } from "../run/heard.ts";
import {
  NO_FACTS,
  resultDocument,
  type ResultDocument,
  type RunFacts,
} from "../run/result-document.ts";
import { monotonicMs } from "../shared/clock.ts";
import type { Ending } from "./worse-ending.ts";

/** What is known of a run so far. */
export interface KnownRun {
  know(facts: Partial<RunFacts>): void;
  tell(event: RunEvent): void;
  /** What it is called by who reads of it: the words of the command line, else its prompt. */
  title(): string | null;
  /** If it ended now. */
  result(end: Ending, exitCode: number): ResultDocument;
}

export function knownRun(): KnownRun {
  let facts = NO_FACTS;
  let heard = NOTHING_HEARD;
  return {
    know: (more) => {
      facts = { ...facts, ...more };
    },
    tell: (event) => {
      heard = hear(heard, event, monotonicMs());
    },
    title: () => facts.words ?? facts.prompt,
    result: ({ reason, failure }, exitCode) =>
      resultDocument(facts, heard, { reason, failure, exitCode, endedAfterMs: monotonicMs() }),
  };
}
