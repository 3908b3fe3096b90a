import { RunAborted } from "../protocol/run-aborted.ts";
import type { RunEvent } from "../protocol/run-event.ts";
import { orAborted } from "../shared/or-aborted.ts";
import type { RunOutput } from "./follow-run.ts";
import type { GivingUp } from "./giving-up.ts";

/** Text on its way to a reader, who may leave: then the run is given up, and nothing more is printed. */
export interface Delivery {
  print(text: string): Promise<void>;
  /** News; a teller that has to wait for its reader is waited for. */
  tell(event: RunEvent): Promise<void>;
  /** The last of it, when nothing is waited for any more. */
  leave(text: string): void;
  /** Why text did not arrive. */
  undelivered(): RunAborted | null;
}

export function deliver(
  output: Pick<RunOutput, "print" | "tell">,
  giveUp: Pick<GivingUp, "signal" | "request">,
): Delivery {
  const { signal } = giveUp;
  let undelivered: RunAborted | null = null;
  return {
    print: async (text) => {
      if (undelivered !== null) return;
      try {
        // A reader that no longer reads holds us no longer than the bound.
        await orAborted(output.print(text), signal);
      } catch (error) {
        if (!(error instanceof RunAborted) || signal.aborted) throw error;
        undelivered = error;
        giveUp.request(error);
      }
    },
    tell: async (event) => {
      const told = output.tell(event);
      if (told !== undefined) await orAborted(told, signal);
    },
    leave: (text) => {
      if (text === "" || undelivered !== null) return;
      output.print(text).catch(() => {}); // the run has its ending already
    },
    undelivered: () => undelivered,
  };
}
