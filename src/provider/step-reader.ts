import type { LanguageModelV3StreamPart, LanguageModelV3Usage } from "@ai-sdk/provider";
import { TransportFailed } from "../net/transport-failed.ts";
import type { FinishReason } from "../protocol/message.ts";
import type { Usage } from "../protocol/usage.ts";
import type { JsonObject } from "../shared/json.ts";
import { faultOf } from "./call-errors.ts";
import type { StepPart } from "./language-model.ts";

type SdkPart = LanguageModelV3StreamPart;
type ToolCall = Extract<StepPart, { type: "tool_call" }>;
type Finish = Extract<SdkPart, { type: "finish" }>;

/** Turns the parts of one SDK stream into ours. Throws what the SDK reports as an error. */
export class StepReader {
  readonly #reasoning = new Map<string, JsonObject>();
  readonly #inputs = new Map<string, string>();
  /** Calls whose input is not JSON: cut off, or badly written, which only the finish reason can tell. */
  readonly #unparsable: ToolCall[] = [];
  #calls = 0;
  #finish: Finish | null = null;

  read(part: SdkPart): StepPart[] {
    switch (part.type) {
      case "text-delta":
        return textPart(part.delta, part.providerMetadata);
      case "text-end":
        return textPart("", part.providerMetadata);
      case "reasoning-start":
        this.#reasoning.set(part.id, merged({}, part.providerMetadata));
        return [];
      case "reasoning-delta":
        this.#learn(part.id, part.providerMetadata);
        return part.delta === "" ? [] : [{ type: "reasoning", text: part.delta }];
      case "reasoning-end": {
        this.#learn(part.id, part.providerMetadata);
        const metadata = this.#reasoning.get(part.id) ?? {};
        this.#reasoning.delete(part.id);
        return [{ type: "reasoning_end", ...metadataOf(metadata) }];
      }
      case "tool-input-delta":
        this.#inputs.set(part.id, (this.#inputs.get(part.id) ?? "") + part.delta);
        return [];
      case "tool-call":
        return part.providerExecuted === true ? [] : this.#call(part);
      case "error":
        throw errorOf(part.error);
      case "finish":
        this.#finish = part;
        return [];
      case "text-start":
      case "tool-input-start":
      case "tool-input-end":
      case "tool-result":
      case "tool-approval-request":
      case "file":
      case "source":
      case "stream-start":
      case "response-metadata":
      case "raw":
      default:
        // What we do not ask for, and warnings: the request was sent all the same.
        return [];
    }
  }

  /** What is left to say when the stream has closed, `finish` last. */
  end(): StepPart[] {
    const finish = this.#finish;
    if (finish === null) throw new TransportFailed("stream broke: it ended without a finish part");
    const { unified, raw } = finish.finishReason;
    if (unified === "error")
      throw new TransportFailed(`the model gave up (finish reason ${raw ?? "error"})`);
    // Cut off by the limit, such a call is no call; otherwise the model is told of its mistake.
    const late = unified === "length" ? [] : this.#unparsable;
    const reason = reasonOf(unified, this.#calls + late.length);
    return [...late, { type: "finish", reason, usage: usageOf(finish.usage) }];
  }

  #call(part: Extract<SdkPart, { type: "tool-call" }>): StepPart[] {
    // Some adapters replace input that is not JSON by `{}`, which would run the tool on nothing.
    const written = this.#inputs.get(part.toolCallId) ?? "";
    const input = written !== "" && part.input === "{}" ? written : part.input || "{}";
    const call: ToolCall = {
      type: "tool_call",
      id: part.toolCallId,
      name: part.toolName,
      input,
      ...metadataOf(part.providerMetadata),
    };
    if (!isJson(input)) {
      this.#unparsable.push(call);
      return [];
    }
    this.#calls += 1;
    return [call];
  }

  #learn(id: string, metadata: Record<string, unknown> | undefined): void {
    if (metadata !== undefined)
      this.#reasoning.set(id, merged(this.#reasoning.get(id) ?? {}, metadata));
  }
}

function textPart(text: string, metadata: Record<string, unknown> | undefined): StepPart[] {
  const known = metadataOf(metadata);
  return text === "" && known.providerMetadata === undefined
    ? []
    : [{ type: "text", text, ...known }];
}

/** A signature comes with a delta, an item id with the start: one level below the provider's name they add up. */
function merged(known: JsonObject, more: Record<string, unknown> | undefined): JsonObject {
  const result: Record<string, JsonObject> = { ...(known as Record<string, JsonObject>) };
  for (const [name, values] of Object.entries(more ?? {}))
    result[name] = { ...result[name], ...(values as JsonObject) };
  return result;
}

const metadataOf = (
  metadata: Record<string, unknown> | undefined,
): { providerMetadata?: JsonObject } =>
  metadata === undefined || Object.keys(metadata).length === 0
    ? {}
    : { providerMetadata: metadata as JsonObject };

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

function reasonOf(unified: string, calls: number): FinishReason {
  switch (unified) {
    case "length":
      return "max_tokens";
    case "content-filter":
      return "content_filter";
    case "stop":
    case "tool-calls":
      return calls > 0 ? "tool_use" : "end_turn";
    default:
      return calls > 0 ? "tool_use" : "unknown";
  }
}

function usageOf({ inputTokens, outputTokens }: LanguageModelV3Usage): Usage {
  const written = inputTokens.cacheWrite ?? 0;
  return {
    inputTokens: inputTokens.total ?? 0,
    cachedInputTokens: inputTokens.cacheRead ?? 0,
    ...(written === 0 ? {} : { cacheWriteTokens: written }),
    outputTokens: outputTokens.total ?? 0,
    reasoningTokens: outputTokens.reasoning ?? 0,
  };
}

/** `error` parts carry an Error or a bare error object of the family. */
const errorOf = (error: unknown): Error =>
  error instanceof Error ? error : faultOf(error, "the provider reported an error");
