import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { SelectedModel } from "../config/config.ts";
import { chatRule } from "./chat-rule.ts";
import { optionsUnder } from "./provider-options.ts";
import type { Family } from "./sdk-model.ts";
import type { ReasoningReplay } from "./to-prompt.ts";

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
    replaysReasoning: replayFor(selected),
    cacheKey: null,
  };
}

/**
 * Who takes `reasoning_content` back. Groq and Mistral refuse the field (400, 422); DeepSeek refuses a tool call without it, in
 * earlier turns too; local servers use that of the current turn.
 */
function replayFor({ provider }: SelectedModel): ReasoningReplay {
  const isOf = (id: string, domain: string): boolean =>
    provider.id === id ||
    new RegExp(`^https?://([^/]*\\.)?${domain}[:/]?`).test(provider.baseUrl ?? "");
  if (isOf("groq", "groq\\.com") || isOf("mistral", "mistral\\.ai")) return "none";
  return isOf("deepseek", "deepseek\\.com") ? "required" : "turn";
}
