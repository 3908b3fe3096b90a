import type { Conversation } from "./conversation.ts";
import { modelAccess, type ModelAccess } from "./model-access.ts";
import type { TurnModel, TurnSetup, TurnWarning } from "./turn-setup.ts";

/** A model with its key. */
export interface Caller {
  readonly by: TurnModel;
  readonly access: ModelAccess;
}

interface CallerPorts {
  readonly onKeyRefused: (providerId: string) => void;
  readonly warn: (warning: TurnWarning) => void;
}

export const callerOf = (by: TurnModel, { onKeyRefused, warn }: CallerPorts): Caller => ({
  by,
  access: modelAccess(by, { onRefused: () => onKeyRefused(by.providerId), warn }),
});

/**
 * Who writes the next summary of a turn: the model that was named for it, if it has room for the conversation; else that of the turn,
 * which is told once.
 */
export function summarizers(
  { summarizer }: Pick<TurnSetup, "summarizer">,
  main: Caller,
  ports: CallerPorts,
): (talk: Pick<Conversation, "fitsInto">) => Caller {
  if (summarizer === undefined) return () => main;
  const small = callerOf(summarizer, ports);
  let isTold = false;
  return (talk) => {
    if (talk.fitsInto(summarizer.contextWindow)) return small;
    const message = `${summarizer.model.ref} has no room for the conversation: ${main.by.model.ref} summarises it`;
    if (!isTold) ports.warn({ code: "small_model_skipped", message });
    isTold = true;
    return main;
  };
}
