import { setTimeout as delay } from "node:timers/promises";
import type { SelectedModel } from "../config/config.ts";
import type { FinishReason } from "../protocol/message.ts";
import type { Usage } from "../protocol/usage.ts";
import { answerTo } from "./demo-answer.ts";
import { beginning, type DemoCall, nextCalls, pathOf, topicOf } from "./demo-plan.ts";
import type { LanguageModel, ModelCall, StepPart } from "./language-model.ts";

/** So that streaming can be seen; a step never takes longer than this by its own doing. */
const MAX_DELAY_MS = 80;
const CHUNK_DELAY_MS = 2;
const CHARACTERS_PER_TOKEN = 4;

/**
 * The model that needs no network and no key. As a real one it asks for tools, step by step, and then
 * answers from what they returned; it says itself that it is a demo. The same conversation gives the same answer.
 */
export function openDemoModel(
  selected: SelectedModel,
  options: { readonly workingDirectory: string },
): LanguageModel {
  return {
    ref: `${selected.provider.id}/${selected.model.id}`,
    async *stream(call, signal) {
      signal.throwIfAborted();
      const topic = topicOf(call.messages);
      const tools = new Set(call.tools.map(({ name }) => name));
      const calls = nextCalls(topic, tools);
      const text =
        calls.length > 0 ? announcement(calls) : answerTo(topic, options.workingDirectory);
      const limit = (selected.maxTokens ?? Number.POSITIVE_INFINITY) * CHARACTERS_PER_TOKEN;
      const said = text.length > limit ? beginning(text, limit) : text;
      yield* spoken(said, signal);
      if (said !== text) {
        yield finish("max_tokens", call, said);
        return;
      }
      const asked = calls.map(({ name, input }, index) => ({
        type: "tool_call" as const,
        // The number of messages only grows: no id comes twice in a conversation.
        id: `demo_${call.messages.length}_${index}`,
        name,
        input: JSON.stringify(input),
      }));
      yield* asked;
      const written = said + asked.map(({ name, input }) => name + input).join("");
      yield finish(calls.length > 0 ? "tool_use" : "end_turn", call, written);
    },
  };
}

function announcement(calls: readonly DemoCall[]): string {
  const [first] = calls;
  if (first?.name === "view" && calls.length === 1) return `I read ${pathOf(first)}.`;
  return "I look at the working directory first.";
}

/** The text word by word. */
async function* spoken(text: string, signal: AbortSignal): AsyncGenerator<StepPart> {
  const chunks = text.match(/\s*\S+\s*/g) ?? [text];
  // One timer for several words of a long answer: a timer is never shorter than a millisecond.
  const wordsPerChunk = Math.max(1, Math.ceil((chunks.length * CHUNK_DELAY_MS) / MAX_DELAY_MS));
  for (let at = 0; at < chunks.length; at += wordsPerChunk) {
    if (at > 0) await pause(CHUNK_DELAY_MS, signal);
    yield { type: "text", text: chunks.slice(at, at + wordsPerChunk).join("") };
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function finish(reason: FinishReason, call: ModelCall, written: string): StepPart {
  const read = JSON.stringify([call.system, call.messages.map(({ parts }) => parts), call.tools]);
  const usage: Usage = {
    inputTokens: tokensOf(read),
    cachedInputTokens: 0,
    outputTokens: tokensOf(written),
    reasoningTokens: 0,
  };
  return { type: "finish", reason, usage };
}

const tokensOf = (text: string): number => Math.ceil(text.length / CHARACTERS_PER_TOKEN);
