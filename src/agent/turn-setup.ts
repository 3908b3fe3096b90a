import type { LanguageModel } from "../provider/language-model.ts";
import type { Prices } from "./cost.ts";
import type { GateSetup } from "./gates.ts";
import type { RunLimits } from "../protocol/run-options.ts";
import type { Permissions } from "../tools/permissions/permissions.ts";
import type { Tool } from "../tools/tool.ts";

/** A model that is ready to be called. */
export interface TurnModel {
  readonly model: LanguageModel;
  /**
   * Expands the model's key anew: the same model with the new key, or null when that is the old one. Rejects when the key cannot be
   * expanded. Null for a key that cannot change.
   */
  readonly refreshModel: ((signal: AbortSignal) => Promise<LanguageModel | null>) | null;
  /** Model and provider as a message names them. */
  readonly modelId: string;
  readonly providerId: string;
  readonly prices: Prices;
  /** Tokens that the model can be shown; null when unknown. */
  readonly contextWindow: number | null;
  /** Whether the model can be shown images and other files. */
  readonly takesFiles: boolean;
}

/** Everything that is decided about a turn before its first model call. */
export interface TurnSetup extends TurnModel {
  /** Whether a conversation that fills the context is summarised. */
  readonly autoSummarize: boolean;
  /** Who writes the summary; absent: the model of the turn. */
  readonly summarizer?: TurnModel;
  readonly system: string;
  readonly tools: readonly Tool[];
  /** Which of their calls may go on. */
  readonly permissions: Permissions;
  /** Real path. */
  readonly workingDirectory: string;
  /** Environment for child processes. */
  readonly toolEnv: Readonly<Record<string, string>>;
  readonly limits: RunLimits;
  readonly allowEmpty: boolean;
  readonly allowBlocked: boolean;
  /** What the answer has to pass before the turn ends; null: nothing. */
  readonly gates: GateSetup | null;
  /** What went wrong on the way here and ends nothing. */
  readonly warnings: readonly TurnWarning[];
}

export interface TurnWarning {
  readonly code: string;
  readonly message: string;
}
