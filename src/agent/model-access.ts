import { failureOf } from "../protocol/failure-of.ts";
import { ModelCallFailed, type LanguageModel } from "../provider/language-model.ts";
import type { TurnSetup, TurnWarning } from "./turn-setup.ts";

/** The model of a turn with its key, which is expanded anew once if the provider refuses it. */
export interface ModelAccess {
  readonly model: () => LanguageModel;
  /** Whether the failed call may be made again, with another key. Rejects when aborted. */
  readonly mayCallAgain: (error: unknown, signal: AbortSignal) => Promise<boolean>;
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
  return {
    model: () => model,
    mayCallAgain: async (error, signal) => {
      if (!isUnauthorized(error)) return false;
      const fresh = await refreshed(signal);
      signal.throwIfAborted();
      if (fresh === null) onRefused();
      else model = fresh;
      return fresh !== null;
    },
  };
}

/** 401; 403 means that the key is known and may not do this. */
const isUnauthorized = (error: unknown): boolean =>
  error instanceof ModelCallFailed &&
  error.failure.reason === "auth_refused" &&
  error.failure.httpStatus !== 403;
