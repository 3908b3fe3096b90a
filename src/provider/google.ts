import { createGoogleGenerativeAI } from "@ai-sdk/google";
import type { SelectedModel } from "../config/config.ts";
import type { JsonObject } from "../shared/json.ts";
import { geminiRule } from "./gemini-rule.ts";
import { optionsUnder, takesThinkingLevel, thinkingBudget, versioned } from "./provider-options.ts";
import type { Family } from "./sdk-model.ts";

/** Google's Gemini API. */
export function googleGemini(selected: SelectedModel): Family {
  const { provider, model } = selected;
  return {
    rule: geminiRule,
    open: (fetch) =>
      createGoogleGenerativeAI({
        baseURL: versioned(
          provider.baseUrl ?? "https://generativelanguage.googleapis.com",
          "v1beta",
        ),
        apiKey: provider.apiKey ?? "",
        headers: { ...provider.extraHeaders },
        fetch,
      }).chat(model.id),
    providerOptions: { google: optionsUnder("google", selected, thinking(selected)) },
    replaysReasoning: "all",
    cacheKey: null,
  };
}

function thinking({ model, reasoningEffort }: SelectedModel): JsonObject {
  if (!model.canReason) return {};
  const told = reasoningEffort === null ? {} : amount(model.id, reasoningEffort);
  return { thinkingConfig: { includeThoughts: true, ...told } };
}

function amount(model: string, effort: string): JsonObject {
  if (takesThinkingLevel(model)) return { thinkingLevel: effort };
  return { thinkingBudget: effort === "none" ? 0 : thinkingBudget(effort) };
}
