import type { TurnSetup } from "../../src/agent/turn-setup.ts";
import { limitsOf } from "../../src/protocol/run-options.ts";
import type { LanguageModel } from "../../src/provider/language-model.ts";

/** A setup for a fake model; retries wait a millisecond or two. */
export function turnSetup(model: LanguageModel, more: Partial<TurnSetup> = {}): TurnSetup {
  return {
    model,
    refreshModel: null,
    modelId: "one",
    providerId: "fake",
    prices: { input: null, output: null, cachedInput: null },
    contextWindow: null,
    autoSummarize: true,
    takesFiles: true,
    system: "be brief",
    tools: [],
    workingDirectory: "/nowhere",
    toolEnv: {},
    limits: limitsOf({ retryMaxWaitMs: 2 }),
    allowEmpty: false,
    allowBlocked: false,
    warnings: [],
    ...more,
  };
}
