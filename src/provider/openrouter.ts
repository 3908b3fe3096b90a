import { createOpenRouter } from "@openrouter/ai-sdk-provider";
import type { SelectedModel } from "../config/config.ts";
import type { JsonObject } from "../shared/json.ts";
import { chatRule } from "./chat-rule.ts";
import { optionsUnder } from "./provider-options.ts";
import type { Family } from "./sdk-model.ts";

/** OpenRouter: chat completions with reasoning details that are to be sent back. */
export function openRouter(selected: SelectedModel): Family {
  const { provider, model } = selected;
  return {
    rule: chatRule,
    open: (fetch) =>
      createOpenRouter({
        baseURL: provider.baseUrl ?? "https://openrouter.ai/api/v1",
        apiKey: provider.apiKey ?? "",
        headers: { ...provider.extraHeaders },
        compatibility: "strict",
        fetch,
      }).chat(model.id, { usage: { include: true } }),
    providerOptions: { openrouter: optionsUnder("openrouter", selected, reasoning(selected)) },
    replaysReasoning: "all",
    // The others cache by themselves.
    cacheKey: model.id.startsWith("anthropic/") ? "openrouter" : null,
  };
}

function reasoning({ model, think, reasoningEffort }: SelectedModel): JsonObject {
  if (!model.canReason) return {};
  if (reasoningEffort !== null) return { reasoning: { effort: reasoningEffort } };
  return think ? { reasoning: { enabled: true } } : {};
}
