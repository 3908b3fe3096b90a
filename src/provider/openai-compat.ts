import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { SelectedModel } from "../config/config.ts";
import { chatRule } from "./chat-rule.ts";
import { optionsUnder } from "./provider-options.ts";
import type { Family } from "./sdk-model.ts";

/** Chat completions of everyone else. */
export function openAiCompatible(selected: SelectedModel): Family {
  const { provider, model, reasoningEffort } = selected;
  const baseURL = provider.baseUrl ?? "";
  return {
    rule: chatRule,
    open: (fetch) =>
      createOpenAICompatible({
        name: "openaiCompatible",
        baseURL,
        ...(provider.apiKey === null ? {} : { apiKey: provider.apiKey }),
        headers: { ...provider.extraHeaders },
        // Mistral refuses fields that it does not know, and sends its usage unasked.
        includeUsage: !/^https:\/\/[^/]*\bmistral\.ai\b/.test(baseURL),
        supportsStructuredOutputs: true,
        fetch,
      }).chatModel(model.id),
    providerOptions: {
      openaiCompatible: optionsUnder(
        "openaiCompatible",
        selected,
        reasoningEffort === null ? {} : { reasoningEffort },
      ),
    },
    // DeepSeek wants the reasoning of the current turn back and refuses, or ignores, that of earlier ones.
    keepsReasoning: false,
    cacheKey: null,
  };
}
