import type { LanguageModel } from "../provider/language-model.ts";
import type { Prices } from "./cost.ts";
import type { RunLimits } from "../protocol/run-options.ts";
import type { Tool } from "../tools/tool.ts";

/** Everything that is decided about a turn before its first model call. */
export interface TurnSetup {
  readonly model: LanguageModel;
  /** Model and provider as a message names them. */
  readonly modelId: string;
  readonly providerId: string;
  readonly prices: Prices;
  readonly system: string;
  readonly tools: readonly Tool[];
  /** Real path. */
  readonly workingDirectory: string;
  /** Environment for child processes. */
  readonly toolEnv: Readonly<Record<string, string>>;
  readonly limits: RunLimits;
  readonly allowEmpty: boolean;
  readonly allowBlocked: boolean;
}
