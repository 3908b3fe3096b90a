import type { RunFailure } from "../protocol/ending.ts";
import type { RunOutcome } from "../protocol/run-record.ts";
import type { ToolSpec } from "../provider/language-model.ts";
import { runCheck, type Check, type CheckPorts } from "./check-gate.ts";
import {
  MOST_REPAIRS,
  readAnswer,
  refused,
  type Said,
  type Structured,
  type Wanted,
} from "./schema-gate.ts";
import type { ToolCallPart, ToolResultPart } from "./tool-step.ts";
import type { Ended } from "./turn-endings.ts";
import type { TurnWarning } from "./turn-setup.ts";

/** What a gate at the end of a turn makes of an answer. */
export type Verdict =
  | { readonly type: "accept" }
  /** The model is told why, and the turn goes on. */
  | { readonly type: "again"; readonly words: string }
  | { readonly type: "fail"; readonly failure: RunFailure };

/** What an answer has to pass, in this order. */
export interface GateRules {
  readonly wanted: Wanted | null;
  readonly check: Check | null;
}

/** The gates of a turn before it begins. */
export interface GateSetup {
  /** The tool whose input is the answer; null where the answer is a text. */
  readonly answerTool: ToolSpec | null;
  /** For the system prompt. */
  readonly instructions: string | null;
  open(ports: GatePorts): Gates;
}

/** `warn`: an answer was refused. */
export type GatePorts = CheckPorts & { readonly warn: (warning: TurnWarning) => void };

/**
 * The gates at the end of one turn: its answer is judged by the schema, then by the check. Each has its own bound; an answer that follows
 * the schema gives that bound back.
 */
export class Gates {
  readonly #rules: GateRules;
  readonly #ports: GatePorts;
  #repairs = 0;
  #checks = 0;
  #structured: Structured | null = null;

  constructor(rules: GateRules, ports: GatePorts) {
    this.#rules = rules;
    this.#ports = ports;
  }

  /** Whether the last answer of a turn is for them to judge: one that was cut off or withheld is not. */
  judges(ended: Ended): boolean {
    return ended === "end_turn" || (ended.reason === "empty_output" && this.#rules.wanted !== null);
  }

  judgeText(text: string): Verdict {
    return this.#judge({ type: "text", text });
  }

  /** Calls of the answer's tool, and what each of them results in. `alone`: the step made no other calls. */
  judgeCalls(calls: readonly ToolCallPart[], alone: boolean): JudgedCalls {
    const input = calls[0]?.input ?? "";
    const verdict = this.#judge({ type: "call", input, alone: alone && calls.length === 1 });
    const content = wordsOf(verdict);
    const isError = verdict.type !== "accept";
    const results = calls.map(({ id, name }): ToolResultPart => ({
      type: "tool_result",
      toolCallId: id,
      name,
      content,
      isError,
      metadata: "",
    }));
    return { verdict, results };
  }

  /** By the check, once the schema has accepted the answer. Rejects with `signal.reason` when aborted. */
  async check(signal: AbortSignal): Promise<Verdict> {
    const { check } = this.#rules;
    if (check === null) return ACCEPT;
    this.#checks += 1;
    const verdict = await runCheck(this.#ports, check, this.#checks, signal);
    if (verdict.type === "again") this.#structured = null;
    return verdict;
  }

  /** The answer that follows the schema, as long as nothing refused it. */
  get structured(): Structured | null {
    return this.#structured;
  }

  /** What of the last thing said is the answer of the run: with a schema nothing but what follows it. */
  answerIn(said: string): Pick<RunOutcome, "text" | "structured"> {
    if (this.#rules.wanted === null) return { text: said };
    const answer = this.#structured;
    return answer === null ? { text: "" } : { text: answer.text, structured: answer.value };
  }

  #judge(said: Said): Verdict {
    const { wanted } = this.#rules;
    if (wanted === null) return ACCEPT;
    const answer = readAnswer(said, wanted);
    if ("value" in answer) {
      this.#structured = answer;
      this.#repairs = 0;
      return ACCEPT;
    }
    const verdict = refused(answer, said, this.#repairs);
    this.#repairs += 1;
    const nth = `${this.#repairs} of ${MOST_REPAIRS}`;
    const message = `the answer was refused, repair ${nth}: ${answer.join("; ")}`;
    if (verdict.type === "again") this.#ports.warn({ code: "answer_refused", message });
    return verdict;
  }
}

export interface JudgedCalls {
  readonly verdict: Verdict;
  readonly results: readonly ToolResultPart[];
}

const ACCEPT: Verdict = { type: "accept" };

function wordsOf(verdict: Verdict): string {
  switch (verdict.type) {
    case "accept":
      return "The answer follows the schema.";
    case "again":
      return verdict.words;
    case "fail":
      return verdict.failure.message;
  }
}
