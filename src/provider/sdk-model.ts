import type {
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3StreamPart,
} from "@ai-sdk/provider";
import type { SelectedModel } from "../config/config.ts";
import type { JsonObject } from "../shared/json.ts";
import { childScope } from "../shared/scope.ts";
import { checkAsked } from "./asked-parameters.ts";
import { classify } from "./classify.ts";
import type { HttpClient } from "./http-client.ts";
import type { LanguageModel, ModelCall, StepPart } from "./language-model.ts";
import { modelFetch } from "./model-fetch.ts";
import { StepReader } from "./step-reader.ts";
import type { StreamRule } from "./stream-rule.ts";
import { toPrompt } from "./to-prompt.ts";
import type { PromptReader, ReasoningReplay } from "./to-prompt.ts";

/** What distinguishes one family of APIs from another. */
export interface Family {
  readonly rule: StreamRule;
  /** The SDK's model for one call: a new one each time, because its fetch belongs to the call. */
  readonly open: (fetch: typeof globalThis.fetch) => LanguageModelV3;
  /** Under the SDK's own keys. */
  readonly providerOptions: Readonly<Record<string, JsonObject>>;
  readonly replaysReasoning: ReasoningReplay;
  readonly cacheKey: string | null;
  /** Tokens that the SDK adds to the limit by itself, for thoughts. */
  readonly addsToLimit?: number;
}

/** A model of the AI SDK as ours: one request per call, our transport, our failures, aborts that are prompt. */
export function sdkModel(
  selected: SelectedModel,
  family: Family,
  client: HttpClient,
): LanguageModel {
  const { provider, model } = selected;
  const reader: PromptReader = {
    provider: provider.id,
    model: model.id,
    replaysReasoning: family.replaysReasoning,
    cacheKey: family.cacheKey,
  };
  const secrets = [provider.apiKey ?? "", ...Object.values(provider.extraHeaders)];
  return {
    ref: `${provider.id}/${model.id}`,
    async *stream(call, signal) {
      signal.throwIfAborted();
      using scope = childScope(signal);
      const extraBody = provider.extraBody;
      const check = (body: string): void => checkAsked(body, selected);
      const wire = modelFetch({
        client,
        rule: family.rule,
        extraBody,
        check,
        signal: scope.signal,
      });
      try {
        const options = callOptions(call, selected, family, reader);
        for await (const part of parts(family.open(wire.fetch), options, scope.signal)) {
          // A stream that broke has no finish, whatever the SDK makes of its end.
          if (part.type === "finish" && wire.failure() !== null) break;
          yield part;
        }
        const broken = wire.failure();
        if (broken !== null) throw broken;
      } catch (error) {
        signal.throwIfAborted();
        const called = { provider: provider.id, model: model.id, secrets, now: Date.now() };
        throw classify(wire.failure() ?? error, called);
      }
    },
  };
}

function callOptions(
  call: ModelCall,
  selected: SelectedModel,
  family: Family,
  reader: PromptReader,
): LanguageModelV3CallOptions {
  const maxOutputTokens = selected.maxTokens ?? defaultLimit(selected, family.addsToLimit ?? 0);
  const { temperature, topP, topK, frequencyPenalty, presencePenalty } = selected;
  return {
    prompt: toPrompt(call, reader),
    ...given({ maxOutputTokens, temperature, topP, topK, frequencyPenalty, presencePenalty }),
    ...(call.tools.length === 0
      ? {}
      : { tools: call.tools.map((tool) => ({ type: "function" as const, ...tool })) }),
    providerOptions: family.providerOptions as NonNullable<
      LanguageModelV3CallOptions["providerOptions"]
    >,
  };
}

/**
 * The model's own limit, where it leaves room for a prompt: catalogues give many models a limit as large as their context, and
 * a server that adds both up (Mistral, Groq, most of OpenRouter) refuses every request that asks for it. Their default fits.
 */
function defaultLimit({ model }: SelectedModel, added: number): number | null {
  const { defaultMaxTokens: limit, contextWindow: context } = model;
  if (limit === null || (context !== null && limit > context / 2)) return null;
  return limit > added ? limit - added : limit;
}

/** Without the members that are null. */
function given<T extends Record<string, number | null>>(
  values: T,
): Partial<Record<keyof T, number>> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== null),
  ) as Partial<Record<keyof T, number>>;
}

/** The SDK is not told of the signal: it wraps abort reasons. Our fetch sees it, and the reads below end with it. */
async function* parts(
  model: LanguageModelV3,
  options: LanguageModelV3CallOptions,
  signal: AbortSignal,
): AsyncGenerator<StepPart> {
  const stream = await untilAborted(openStream(model, options), signal);
  const source = stream.getReader();
  // Cancelling resolves a pending read at once, whatever the stream below is doing.
  const cancel = (): void => void source.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  try {
    const reader = new StepReader();
    while (true) {
      const { done, value } = await source.read();
      signal.throwIfAborted();
      if (done) break;
      yield* reader.read(value);
      signal.throwIfAborted();
    }
    yield* reader.end();
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

const openStream = async (
  model: LanguageModelV3,
  options: LanguageModelV3CallOptions,
): Promise<ReadableStream<LanguageModelV3StreamPart>> => (await model.doStream(options)).stream;

/** The stream, or the abort; a stream that opens too late is cancelled. */
function untilAborted<T>(
  opening: Promise<ReadableStream<T>>,
  signal: AbortSignal,
): Promise<ReadableStream<T>> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
      opening.then(
        (late) => late.cancel(signal.reason).catch(() => {}),
        () => {},
      );
    };
    opening.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}
