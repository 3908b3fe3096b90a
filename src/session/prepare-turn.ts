import type { TurnSetup } from "../agent/turn-setup.ts";
import type { StoredPrompt } from "../store/runs.ts";

export interface PrepareRequest extends Pick<
  StoredPrompt,
  "seq" | "sessionId" | "runId" | "options" | "attachments"
> {
  /** Who wrote the session's last answer: what a prompt without a model of its own goes on with. */
  readonly previous: { readonly provider: string; readonly model: string } | null;
}

/** Readiness of one prompt: model, tools, system prompt. Rejects with `RunFailed`. */
export type PrepareTurn = (request: PrepareRequest, signal: AbortSignal) => Promise<TurnSetup>;
