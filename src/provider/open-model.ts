import type { ProviderType, SelectedModel } from "../config/config.ts";
import { assertNever } from "../shared/assert-never.ts";
import { httpBounds } from "./http-bounds.ts";
import type { HttpClient } from "./http-client.ts";
import type { LanguageModel } from "./language-model.ts";
import type { Family } from "./sdk-model.ts";

export interface OpenModelOptions {
  /** For proxies, CA files and the bounds of a request. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly sessionId: string;
  readonly workingDirectory: string;
  /** Who sends the requests; one of our own unless told. */
  readonly client?: HttpClient | undefined;
}

/** The model behind its API. Loads the code of that API only; nothing is sent before the first `stream`. */
export async function openModel(
  selected: SelectedModel,
  options: OpenModelOptions,
): Promise<LanguageModel> {
  const { type } = selected.provider;
  if (type === "demo") {
    const { openDemoModel } = await import("./demo.ts");
    return openDemoModel(selected, { workingDirectory: options.workingDirectory });
  }
  if (type === "scripted") {
    const { openScriptedModel } = await import("./scripted.ts");
    return openScriptedModel(selected);
  }
  const [family, { sdkModel }, { httpClient }] = await Promise.all([
    loadFamily(type, selected),
    import("./sdk-model.ts"),
    import("./http-client.ts"),
  ]);
  const client = options.client ?? httpClient(options.env, httpBounds(options.env));
  return sdkModel(selected, family, client);
}

async function loadFamily(
  type: Exclude<ProviderType, "demo" | "scripted">,
  selected: SelectedModel,
): Promise<Family> {
  switch (type) {
    case "openai":
      return (await import("./openai.ts")).openAiChat(selected);
    case "openai-responses":
      return (await import("./openai-responses.ts")).openAiResponses(selected);
    case "openai-compat":
      return (await import("./openai-compat.ts")).openAiCompatible(selected);
    case "openrouter":
      return (await import("./openrouter.ts")).openRouter(selected);
    case "anthropic":
      return (await import("./anthropic.ts")).anthropicMessages(selected);
    case "google":
      return (await import("./google.ts")).googleGemini(selected);
    default:
      return assertNever(type);
  }
}
