import type { Message } from "../protocol/message.ts";
import type { Usage } from "../protocol/usage.ts";
import type { ToolSpec } from "../provider/language-model.ts";
import { asRead, fromSummary, reserveOf, tokensIn, tokensInText, unansweredIn } from "./context.ts";
import type { TurnSetup } from "./turn-setup.ts";

type Facts = Pick<TurnSetup, "contextWindow" | "autoSummarize" | "takesFiles" | "system"> & {
  readonly tools: readonly ToolSpec[];
};

/** What the model is shown, and how much room there is for more of it. */
export class Conversation {
  readonly #facts: Facts;
  #messages: Message[];
  /** What was asked in this turn. */
  readonly #requests: Message[];
  /** Tokens of the last model call, and how many of the messages they stand for. */
  #counted: { readonly tokens: number; readonly upTo: number } | null = null;
  #summariesInVain = 0;
  /** Tokens of system prompt and tools, once they were asked for. */
  #fixed: number | null = null;

  constructor(facts: Facts, history: readonly Message[]) {
    this.#facts = facts;
    this.#messages = [...history];
    this.#requests = [...unansweredIn(history)];
  }

  /** For the model, in order. */
  read(): readonly Message[] {
    return asRead(this.#messages, this.#facts.takesFiles);
  }

  /** For the model that is to summarise it: what has been answered. */
  readAnswered(takesFiles: boolean): readonly Message[] {
    return asRead(this.#answered(), takesFiles);
  }

  /** Whether a model with a context of so many tokens can be shown it and has room for a summary. */
  fitsInto(contextWindow: number | null): boolean {
    return contextWindow === null || this.#tokens() <= contextWindow - reserveOf(contextWindow);
  }

  add(message: Message): void {
    this.#messages.push(message);
  }

  /** Prompts that join the turn. */
  join(prompts: readonly Message[]): void {
    this.#messages.push(...prompts);
    this.#requests.push(...prompts);
  }

  /** All messages so far went through one model call, the last one as its answer. */
  count(usage: Usage): void {
    const tokens = usage.inputTokens + usage.outputTokens;
    this.#counted = tokens === 0 ? null : { tokens, upTo: this.#messages.length };
    if (!this.isTight()) this.#summariesInVain = 0;
  }

  /** Whether it is time for a summary. Where system prompt and tools alone leave no room, none would help. */
  isTight(): boolean {
    const { contextWindow, autoSummarize } = this.#facts;
    if (contextWindow === null || !autoSummarize) return false;
    const most = contextWindow - reserveOf(contextWindow);
    return this.#tokens() >= most && this.#fixedTokens() < most;
  }

  /** Whether there is anything to summarise that is not a summary itself. */
  canBeSummarized(): boolean {
    return this.#answered().some(({ isSummary }) => isSummary !== true);
  }

  /** From now on the summary stands for what has been answered. */
  summarize(summary: Message): void {
    this.#messages = [...fromSummary([...this.#messages, summary], summary.id)];
    this.#counted = null;
    this.#summariesInVain += 1;
  }

  /** Summaries have not made room for a single model call, again and again. */
  isHopeless(): boolean {
    return this.#summariesInVain >= MOST_IN_VAIN;
  }

  /** What was asked in this turn so far. */
  requests(): readonly Message[] {
    return this.#requests;
  }

  /** What of it the model is not shown any more. */
  lostRequests(): readonly Message[] {
    return this.#requests.filter((request) => !this.#messages.includes(request));
  }

  #answered(): readonly Message[] {
    return this.#messages.slice(0, this.#messages.length - unansweredIn(this.#messages).length);
  }

  #tokens(): number {
    if (this.#counted !== null)
      return this.#counted.tokens + tokensIn(this.#messages.slice(this.#counted.upTo));
    return this.#fixedTokens() + tokensIn(this.read());
  }

  #fixedTokens(): number {
    const { system, tools } = this.#facts;
    this.#fixed ??= tokensInText(
      tools.reduce(
        (sum, { description, inputSchema }) =>
          sum + description.length + JSON.stringify(inputSchema).length,
        system.length,
      ),
    );
    return this.#fixed;
  }
}

const MOST_IN_VAIN = 2;
