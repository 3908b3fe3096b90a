import { createOpenAI } from "@ai-sdk/openai";
import type { SelectedModel } from "../config/config.ts";
import { optionsUnder } from "./provider-options.ts";
import { responsesRule } from "./responses-rule.ts";
import type { Family } from "./sdk-model.ts";

/** OpenAI's Responses API. Nothing is stored there: reasoning comes back encrypted and is replayed from our history. */
export function openAiResponses(selected: SelectedModel): Family {
  const { provider, model, reasoningEffort } = selected;
  return {
    rule: responsesRule,
    open: (fetch) =>
      createOpenAI({
        baseURL: provider.baseUrl ?? "https://api.openai.com/v1",
        apiKey: provider.apiKey ?? "",
        headers: { ...provider.extraHeaders },
        fetch,
      }).responses(model.id),
    providerOptions: {
      openai: optionsUnder("openai", selected, {
        store: false,
        ...(reasoningEffort === null ? {} : { reasoningEffort }),
        ...(model.canReason
          ? { forceReasoning: true, include: ["reasoning.encrypted_content"] }
          : {}),
      }),
    },
    replaysReasoning: "all",
    cacheKey: null,
  };
}
