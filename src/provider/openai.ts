import { createOpenAI } from "@ai-sdk/openai";
import type { SelectedModel } from "../config/config.ts";
import { chatRule } from "./chat-rule.ts";
import { optionsUnder } from "./provider-options.ts";
import type { Family } from "./sdk-model.ts";

/** OpenAI's chat completions. */
export function openAiChat(selected: SelectedModel): Family {
  const { provider, model, reasoningEffort } = selected;
  return {
    rule: chatRule,
    open: (fetch) =>
      createOpenAI({
        baseURL: provider.baseUrl ?? "https://api.openai.com/v1",
        apiKey: provider.apiKey ?? "",
        headers: { ...provider.extraHeaders },
        fetch,
      }).chat(model.id),
    providerOptions: {
      openai: optionsUnder("openai", selected, {
        ...(reasoningEffort === null ? {} : { reasoningEffort }),
        ...(model.canReason ? { forceReasoning: true } : {}),
      }),
    },
    replaysReasoning: "turn",
    cacheKey: null,
  };
}
