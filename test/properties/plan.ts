import * as fc from "fast-check";
import { failure, type Reason } from "../../src/protocol/ending.ts";
import type { FinishReason } from "../../src/protocol/message.ts";
import { NO_USAGE } from "../../src/protocol/usage.ts";
import {
  ModelCallFailed,
  type LanguageModel,
  type ModelCall,
  type StepPart,
} from "../../src/provider/language-model.ts";
import { orAborted } from "../../src/shared/or-aborted.ts";
import type { Tool } from "../../src/tools/tool.ts";

/** What the outside does about one prompt: its readiness, the model's answers, the tools. */
export interface Plan {
  readonly ready: "at once" | "later" | "fails" | "throws";
  /** One per model call. `tools`: calls one and goes on; `again`: fails and is tried again; `hangs`: says nothing more. */
  readonly steps: readonly Step[];
  /** What it does about an abort: ends at once, winds down, or goes on when nobody listens any more. */
  readonly obeys: "at once" | "later" | "never";
  /** Its stream takes time to close. */
  readonly lingers: boolean;
  /** The call (from 0) whose answer fills the context, so that a summary follows; and what becomes of that. */
  readonly fillsAt?: number | null;
  readonly summary?: "text" | "fails";
  /** What asking for another key brings when the model has refused the first. */
  readonly key?: "fresh" | "same" | "fails";
}

/** One model call. `refused`: the key is. */
export type Step = "text" | "tools" | "again" | "fails" | "throws" | "hangs" | "refused";

export interface PlanWishes {
  readonly ready?: readonly Plan["ready"][];
  readonly on?: readonly Step[];
  readonly last?: readonly Step[];
  readonly obeys?: readonly Plan["obeys"][];
  readonly mostSteps?: number;
}

/** Any plan, or one within the wishes. The first of each wish is what a counterexample shrinks to. */
export function anyPlan(wishes: PlanWishes = {}): fc.Arbitrary<Plan> {
  const { mostSteps = 2 } = wishes;
  const on = fc.array(fc.constantFrom<Step[]>(...(wishes.on ?? ["tools", "again"])), {
    maxLength: mostSteps,
  });
  const last = fc.constantFrom<Step[]>(...(wishes.last ?? ["text", "text", "text", "fails"]));
  return fc.record({
    ready: fc.constantFrom<Plan["ready"][]>(
      ...(wishes.ready ?? ["at once", "later", "later", "fails"]),
    ),
    steps: fc.tuple(on, last).map(([some, end]) => [...some, end]),
    obeys: fc.constantFrom<Plan["obeys"][]>(...(wishes.obeys ?? ["at once", "later"])),
    lingers: fc.boolean(),
  });
}

/** How a prompt with that plan ends when nobody interferes. */
export function endOf({ ready, steps, fillsAt, summary, key }: Plan): Reason {
  if (ready === "fails") return "auth_missing";
  if (ready === "throws") return "internal";
  let mayRenew = key === "fresh";
  for (const [n, step] of steps.entries()) {
    if (step === "fails") return "provider_error";
    if (step === "throws") return "internal";
    if (step === "hangs") return "idle_timeout";
    if (step === "refused" && !mayRenew) return "auth_refused";
    if (step === "refused") mayRenew = false;
    if (step === "tools" && n === fillsAt && summary === "fails") return "provider_error";
  }
  return "end_turn";
}

/** What one prompt may be shown in tokens, where summaries are played. */
export const WINDOW = 10_000;

/** Where the plan meets the schedule. */
export interface Stage {
  readonly name: string;
  turn(label: string): Promise<void>;
  /** Its last word is said: what comes later changes nothing about it. */
  decided(): void;
  /** The model is called, or a tool is. */
  onCall(call: ModelCall | null): void;
  /** Resolves when nobody listens to it any more. */
  readonly over: Promise<void>;
}

/** Waits for its turn, and does about an abort what the plan says. */
async function pause(plan: Plan, stage: Stage, what: string, signal: AbortSignal): Promise<void> {
  await obeying(plan, stage, stage.turn(`${stage.name} ${what}`), signal);
}

async function obeying(
  plan: Plan,
  stage: Stage,
  waiting: Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await orAborted(waiting, signal);
  } catch (error) {
    if (plan.obeys === "later") await stage.turn(`${stage.name} winds down`);
    if (plan.obeys !== "never") throw error;
    await stage.over;
    await stage.turn(`${stage.name} goes on`);
  }
}

export async function becomeReady(plan: Plan, stage: Stage, signal: AbortSignal): Promise<void> {
  if (plan.ready !== "at once") await pause(plan, stage, "gets ready", signal);
  if (plan.ready === "fails" || plan.ready === "throws") {
    stage.decided();
    if (plan.ready === "throws") throw new TypeError("not ready, and no failure of ours");
    throw new ModelCallFailed(failure("auth_missing", "no key"), { retryable: false });
  }
}

const finish = (reason: FinishReason, inputTokens = 0): StepPart => ({
  type: "finish",
  reason,
  usage: { ...NO_USAGE, inputTokens },
});

export function modelOf(plan: Plan, stage: Stage): LanguageModel {
  let calls = 0;
  return {
    ref: "fake/one",
    stream: (call, signal) => {
      stage.onCall(call);
      if (isSummary(call)) return summarize(plan, stage, calls - 1, signal);
      calls += 1;
      return play(plan, stage, calls - 1, signal);
    },
  };
}

/** A conversation is summarised with a system prompt of its own, and without tools. */
const isSummary = ({ tools }: ModelCall): boolean => tools.length === 0;

async function* play(
  plan: Plan,
  stage: Stage,
  n: number,
  signal: AbortSignal,
): AsyncGenerator<StepPart> {
  const wait = async (what: string): Promise<void> => await pause(plan, stage, what, signal);
  const step = plan.steps[n] ?? "text";
  const used = n === plan.fillsAt ? WINDOW : 0;
  try {
    await wait("is called");
    if (step === "refused") {
      // A key is renewed once in a turn.
      if (plan.steps.slice(0, n).includes("refused")) stage.decided();
      throw failed("auth_refused", false, 401);
    }
    yield { type: "text", text: `${stage.name} says ${n}` };
    await wait("goes on");
    if (step === "hangs") await obeying(plan, stage, new Promise(() => {}), signal);
    if (step === "again") throw failed("provider_unavailable", true);
    if (step === "tools") {
      yield { type: "tool_call", id: `${stage.name}-${n}`, name: "work", input: `{"n":${n}}` };
      yield finish("tool_use", used);
      return;
    }
    // A summary that follows is part of the prompt.
    if (used === 0 || step !== "text") stage.decided();
    if (step === "fails") throw failed("provider_error", false);
    if (step === "throws") throw new TypeError("a bug of the provider");
    yield finish("end_turn", used);
  } finally {
    if (plan.lingers) await stage.turn(`${stage.name} closes`);
  }
}

async function* summarize(
  plan: Plan,
  stage: Stage,
  n: number,
  signal: AbortSignal,
): AsyncGenerator<StepPart> {
  await pause(plan, stage, "is summarised", signal);
  yield { type: "text", text: `the note of ${stage.name}` };
  await pause(plan, stage, "is summarised further", signal);
  const fails = plan.summary === "fails";
  if (fails || plan.steps[n] !== "tools") stage.decided();
  if (fails) throw failed("provider_error", false);
  yield finish("end_turn");
}

/** Another key for the model that has refused the first one. */
export async function renewKey(
  plan: Plan,
  stage: Stage,
  model: LanguageModel,
  signal: AbortSignal,
): Promise<LanguageModel | null> {
  // A command that is not to be stopped may bring its key after all.
  if (plan.lingers) await stage.turn(`${stage.name} asks for a key`);
  else await pause(plan, stage, "asks for a key", signal);
  if (plan.key === "fresh") return model;
  stage.decided();
  if (plan.key === "fails") throw new TypeError("the command for the key has failed");
  return null;
}

function failed(
  reason: "provider_unavailable" | "provider_error" | "auth_refused",
  retryable: boolean,
  httpStatus: number | null = null,
): ModelCallFailed {
  return new ModelCallFailed(failure(reason, `fake: ${reason}`, { httpStatus }), { retryable });
}

/** A tool that takes a while. */
export const toolOf = (plan: Plan, stage: Stage): Tool => ({
  name: "work",
  description: "works",
  inputSchema: { type: "object" },
  run: async (_input, { signal }) => {
    stage.onCall(null);
    await pause(plan, stage, "works", signal);
    return { content: "done", isError: false, truncated: false };
  },
});
