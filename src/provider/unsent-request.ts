import { isJsonObject, type JsonObject } from "../shared/json.ts";
import { newMessageId, newSessionId } from "../protocol/ids.ts";
import type { Message } from "../protocol/message.ts";
import type { HttpClient } from "./http-client.ts";
import type { LanguageModel } from "./language-model.ts";

/** Takes requests and sends none. */
export interface RequestCatcher {
  readonly client: HttpClient;
  /** The last one; null when there was none. */
  readonly caught: () => { readonly url: string; readonly body: JsonObject } | null;
}

export function requestCatcher(): RequestCatcher {
  let caught: ReturnType<RequestCatcher["caught"]> = null;
  return {
    caught: () => caught,
    client: {
      post: async (url, _headers, body) => {
        const decoded: unknown = JSON.parse(body);
        caught = { url, body: isJsonObject(decoded) ? decoded : {} };
        throw new Error("not sent");
      },
    },
  };
}

const SAYING_HI: Message = {
  id: newMessageId(),
  sessionId: newSessionId(),
  role: "user",
  parts: [{ type: "text", text: "hi" }],
  model: "",
  provider: "",
  createdAt: 0,
  updatedAt: 0,
};

/** Under these names the APIs take what is said: system prompt, conversation, tools. */
const SAID: ReadonlySet<string> = new Set([
  "messages",
  "input",
  "instructions",
  "system",
  "systemInstruction",
  "contents",
  "tools",
]);

/**
 * With which parameters the API would be asked, under its own names. `model` must have been opened with the client of the catcher.
 * Rejects with `ModelCallFailed` where the call is refused before anything is sent, and with `signal.reason`.
 */
export async function parametersOf(
  model: LanguageModel,
  { caught }: RequestCatcher,
  signal: AbortSignal,
): Promise<{ readonly url: string; readonly parameters: JsonObject } | null> {
  const call = { system: "-", messages: [SAYING_HI], tools: [] };
  try {
    for await (const _ of model.stream(call, signal)) break;
  } catch (error) {
    signal.throwIfAborted();
    if (caught() === null) throw error; // refused before anything is sent; else nothing was, as it had to be
  }
  const request = caught();
  if (request === null) return null;
  const told = Object.entries(request.body).filter(([name]) => !SAID.has(name));
  return { url: request.url, parameters: Object.fromEntries(told) };
}
