import { createAnthropic } from "@ai-sdk/anthropic";
import type { SelectedModel } from "../config/config.ts";
import type { JsonObject } from "../shared/json.ts";
import { anthropicRule } from "./anthropic-rule.ts";
import { isAdaptive, optionsUnder, thinkingBudget, versioned } from "./provider-options.ts";
import type { Family } from "./sdk-model.ts";

/** Anthropic's Messages API. */
export function anthropicMessages(selected: SelectedModel): Family {
  const { provider, model } = selected;
  return {
    rule: anthropicRule,
    open: (fetch) =>
      createAnthropic({
        baseURL: versioned(provider.baseUrl ?? "https://api.anthropic.com", "v1"),
        apiKey: provider.apiKey ?? "",
        headers: { ...provider.extraHeaders },
        fetch,
      }).messages(model.id),
    providerOptions: { anthropic: optionsUnder("anthropic", selected, thinking(selected)) },
    replaysReasoning: "all",
    cacheKey: "anthropic",
    addsToLimit: thinks(selected) && !isAdaptive(model.id) ? budgetOf(selected) : 0,
  };
}

function thinking(selected: SelectedModel): JsonObject {
  const { model, reasoningEffort } = selected;
  if (!thinks(selected)) return {};
  if (isAdaptive(model.id))
    return {
      thinking: { type: "adaptive" },
      ...(reasoningEffort === null ? {} : { effort: reasoningEffort }),
    };
  return { thinking: { type: "enabled", budgetTokens: budgetOf(selected) } };
}

const thinks = ({ model, think, reasoningEffort }: SelectedModel): boolean =>
  model.canReason && (think || reasoningEffort !== null) && reasoningEffort !== "none";

const budgetOf = ({ reasoningEffort }: SelectedModel): number => thinkingBudget(reasoningEffort);
