import { basename } from "node:path";
import type { LanguageModelV3Message, LanguageModelV3Prompt } from "@ai-sdk/provider";
import type { Message, Part } from "../protocol/message.ts";
import { isJsonObject } from "../shared/json.ts";
import type { JsonObject } from "../shared/json.ts";
import type { ModelCall } from "./language-model.ts";

/**
 * What an API wants of its own earlier reasoning: none (it refuses the field), that of the current turn, all of it, or some with
 * every tool call (it refuses a call without).
 */
export type ReasoningReplay = "none" | "turn" | "all" | "required";

/** Whose model reads the prompt, and what it takes. */
export interface PromptReader {
  /** Provider id and model id, as messages name them. */
  readonly provider: string;
  readonly model: string;
  readonly replaysReasoning: ReasoningReplay;
  /** Key of the provider options that take `cacheControl`, or null. */
  readonly cacheKey: string | null;
}

type Options = NonNullable<LanguageModelV3Message["providerOptions"]>;
type ToolResult = Extract<Part, { type: "tool_result" }>;

/**
 * The conversation in the SDK's form, such that no API refuses it: every tool call is followed by its result (a made-up
 * one where it was interrupted), results without a call and messages without content are left out, neighbours of
 * one role are one message.
 */
export function toPrompt(call: ModelCall, reader: PromptReader): LanguageModelV3Prompt {
  const prompt: LanguageModelV3Prompt = [];
  if (call.system !== "") prompt.push({ role: "system", content: call.system });
  const lastUser = call.messages.findLastIndex((message) => message.role === "user");
  call.messages.forEach((message, index) => {
    if (message.role === "assistant") {
      const replays = reader.replaysReasoning;
      const reasoning = replays === "turn" ? index > lastUser : replays !== "none";
      const content = assistantContent(message, index, reader, reasoning);
      if (content.length === 0) return;
      append(prompt, { role: "assistant", content });
      const results = resultsOf(content, message, call.messages.slice(index + 1));
      if (results.length > 0) append(prompt, { role: "tool", content: results });
    } else if (message.role !== "tool") {
      const content = message.parts.flatMap(userContent);
      if (content.length > 0) append(prompt, { role: "user", content });
    }
  });
  return reader.cacheKey === null ? prompt : markedForCache(prompt, reader.cacheKey);
}

type UserContent = Extract<LanguageModelV3Message, { role: "user" }>["content"];
type AssistantContent = Extract<LanguageModelV3Message, { role: "assistant" }>["content"];
type ToolContent = Extract<LanguageModelV3Message, { role: "tool" }>["content"];

const SHOWN_AS_FILE: ReadonlySet<string> = new Set([
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
  "application/pdf",
]);

/**
 * What a user sent: texts as text, attached ones with their name, and as files what every API has a form for. Another type would be
 * refused with each later prompt of the conversation too, so it is only named.
 */
function userContent(part: Part): UserContent {
  if (part.type === "text") return part.text === "" ? [] : [{ type: "text", text: part.text }];
  if (part.type !== "binary") return [];
  const { path, mimeType, data } = part;
  if (SHOWN_AS_FILE.has(mimeType))
    return [{ type: "file", mediaType: mimeType, data, filename: basename(path) }];
  const content = mimeType.startsWith("text/")
    ? Buffer.from(data, "base64").toString("utf8")
    : `(${mimeType}: cannot be shown here)`;
  return [{ type: "text", text: `<file path="${path}">\n${content}\n</file>` }];
}

function assistantContent(
  message: Message,
  index: number,
  reader: PromptReader,
  reasoning: boolean,
): AssistantContent {
  // A signature or an item id means nothing to another provider or model, and some refuse it.
  const own =
    matches(message.provider, reader.provider) &&
    (matches(message.model, reader.model) ||
      message.model === `${reader.provider}/${reader.model}`);
  let calls = 0;
  const content = message.parts.flatMap((part): AssistantContent => {
    switch (part.type) {
      case "text": {
        const options = optionsOf(part.providerMetadata, own);
        return part.text === "" ? [] : [{ type: "text", text: part.text, ...options }];
      }
      case "reasoning":
        return own && reasoning
          ? [{ type: "reasoning", text: part.thinking, ...optionsOf(part.providerMetadata, own) }]
          : [];
      case "tool_call": {
        const options = optionsOf(part.providerMetadata, own);
        const input = inputOf(part.input);
        calls += 1;
        const toolCallId = own ? part.id : neutralId(index, calls);
        const toolName = namedForWire(part.name);
        return [{ type: "tool-call", toolCallId, toolName, input, ...options }];
      }
      case "tool_result":
      case "finish":
      default:
        return [];
    }
  });
  return reader.replaysReasoning === "required"
    ? withReasoning(content)
    : endingInSaid(content, message);
}

/**
 * Without thoughts that nothing followed: APIs refuse an answer that ends in them. A whole answer may end in a block that
 * carries no text (an encrypted one), which stays.
 */
function endingInSaid(content: AssistantContent, message: Message): AssistantContent {
  const last = content.findLastIndex(({ type }) => type !== "reasoning");
  const finish = message.parts.find((part) => part.type === "finish");
  const whole = finish?.reason === "end_turn" || finish?.reason === "tool_use";
  return last >= 0 && whole ? content : content.slice(0, last + 1);
}

/** A call of another model has no thoughts that this one could read; a blank stands for them. */
function withReasoning(content: AssistantContent): AssistantContent {
  const said = content.some(({ type }) => type !== "reasoning");
  if (!said) return [];
  const bare =
    content.some(({ type }) => type === "tool-call") &&
    !content.some((part) => part.type === "reasoning" && part.text !== "");
  return bare ? [{ type: "reasoning", text: " " }, ...content] : content;
}

/** In the form that the strictest API asks for (nine letters and digits), and never the same twice in a conversation. */
const neutralId = (message: number, call: number): string =>
  `c${message.toString(36).padStart(5, "0")}${call.toString(36).padStart(3, "0")}`;

/** Models invent names that their own API refuses to read (`functions.bash`). */
const namedForWire = (name: string): string =>
  name.replaceAll(/[^a-zA-Z0-9_-]/g, "_").slice(0, 64) || "_";

const matches = (written: string, reading: string): boolean =>
  written === "" || written === reading;

const optionsOf = (metadata: JsonObject | undefined, own: boolean): { providerOptions?: Options } =>
  own && metadata !== undefined ? { providerOptions: metadata as Options } : {};

/** What the model wrote, if it is an object; APIs refuse a history with anything else. */
function inputOf(input: string): JsonObject {
  try {
    const value: unknown = JSON.parse(input);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

/**
 * One result per call, in the order of the calls, from before the next assistant message: some servers use the same
 * ids in every step.
 */
function resultsOf(
  content: AssistantContent,
  message: Message,
  later: readonly Message[],
): ToolContent {
  const calls = message.parts.filter((part) => part.type === "tool_call");
  const sent = content.filter((part) => part.type === "tool-call");
  if (calls.length === 0) return [];
  const next = later.findIndex((each) => each.role === "assistant");
  const results = (next === -1 ? later : later.slice(0, next))
    .filter((each) => each.role === "tool")
    .flatMap((each) => each.parts)
    .filter((part) => part.type === "tool_result");
  const used = new Set<ToolResult>();
  return sent.map(({ toolCallId, toolName }, at) => {
    const id = calls[at]?.id;
    const found = results.find((result) => result.toolCallId === id && !used.has(result));
    if (found !== undefined) used.add(found);
    const { content: value, isError } = found ?? INTERRUPTED;
    const output = { type: isError ? ("error-text" as const) : ("text" as const), value };
    return { type: "tool-result", toolCallId, toolName, output };
  });
}

const INTERRUPTED = {
  content: "The call was interrupted; whether it took effect is not known.",
  isError: true,
};

function append(prompt: LanguageModelV3Prompt, message: LanguageModelV3Message): void {
  const last = prompt.at(-1);
  if (last?.role === "user" && message.role === "user") last.content.push(...message.content);
  else if (last?.role === "assistant" && message.role === "assistant")
    last.content.push(...message.content);
  else prompt.push(message);
}

/** Everything up to the end of the system prompt, and up to the end of the conversation so far, may be cached. */
function markedForCache(prompt: LanguageModelV3Prompt, key: string): LanguageModelV3Prompt {
  const providerOptions = { [key]: { cacheControl: { type: "ephemeral" } } };
  return prompt.map((message, index) =>
    message.role === "system" || index === prompt.length - 1
      ? { ...message, providerOptions }
      : message,
  );
}
