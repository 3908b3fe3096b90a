import { failureOf } from "../protocol/failure-of.ts";
import type { MessageId } from "../protocol/ids.ts";
import type { Message } from "../protocol/message.ts";
import { ModelCallFailed, type LanguageModel } from "../provider/language-model.ts";
import {
  callModel,
  withdraw,
  type StepDraft,
  type StepPorts,
  type StepResult,
} from "./model-step.ts";
import type { TurnSetup, TurnWarning } from "./turn-setup.ts";

/** The model of a turn with its key, which is expanded anew once if the provider refuses it. */
export interface ModelAccess {
  /** One model call, with its retries; a key that is refused is renewed once in a turn (PER-22). */
  readonly call: (
    ports: Omit<StepPorts, "model">,
    messages: readonly Message[],
    open: { readonly id: MessageId; readonly draft: StepDraft },
    signal: AbortSignal,
  ) => Promise<StepResult>;
}

interface AccessPorts {
  /** The provider refuses the key, and there is no other. */
  readonly onRefused: () => void;
  readonly warn: (warning: TurnWarning) => void;
}

export function modelAccess(
  setup: Pick<TurnSetup, "model" | "refreshModel">,
  { onRefused, warn }: AccessPorts,
): ModelAccess {
  let { model, refreshModel } = setup;
  const refreshed = async (signal: AbortSignal): Promise<LanguageModel | null> => {
    const refresh = refreshModel;
    refreshModel = null;
    if (refresh === null) return null;
    try {
      return await refresh(signal);
    } catch (error) {
      signal.throwIfAborted();
      warn({ code: "key_refresh", message: `no new key: ${failureOf(error).message}` });
      return null;
    }
  };
  /** Whether the failed call may be made again, with another key. Rejects when aborted. */
  const mayCallAgain = async (error: unknown, signal: AbortSignal): Promise<boolean> => {
    if (!isUnauthorized(error)) return false;
    const fresh = await refreshed(signal);
    signal.throwIfAborted();
    if (fresh === null) onRefused();
    else model = fresh;
    return fresh !== null;
  };
  return {
    call: async (ports, messages, { id, draft }, signal) => {
      for (;;) {
        try {
          return await callModel({ ...ports, model }, messages, id, draft, signal);
        } catch (error) {
          if (!(await mayCallAgain(error, signal))) throw error;
          withdraw(ports, id, draft);
        }
      }
    },
  };
}

/** 401; 403 means that the key is known and may not do this. */
const isUnauthorized = (error: unknown): boolean =>
  error instanceof ModelCallFailed &&
  error.failure.reason === "auth_refused" &&
  error.failure.httpStatus !== 403;
