import type { TurnSetup } from "../../src/agent/turn-setup.ts";
import { limitsOf } from "../../src/protocol/run-options.ts";
import type { Permissions } from "../../src/tools/permissions/permissions.ts";
import type { LanguageModel } from "../../src/provider/language-model.ts";

/** Every call is allowed. */
const NO_RULES: Permissions = { onAsk: "deny", permit: async () => null, hides: () => null };

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
    permissions: NO_RULES,
    workingDirectory: "/nowhere",
    toolEnv: {},
    limits: limitsOf({ retryMaxWaitMs: 2 }),
    allowEmpty: false,
    allowBlocked: false,
    gates: null,
    warnings: [],
    ...more,
  };
}
