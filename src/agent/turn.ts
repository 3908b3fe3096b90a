import { ENDINGS, failure, type RunFailure } from "../protocol/ending.ts";
import { failureOf } from "../protocol/failure-of.ts";
import type { MessageId } from "../protocol/ids.ts";
import { textOf, type FinishReason, type Message, type Part } from "../protocol/message.ts";
import { abortOf, RunAborted } from "../protocol/run-aborted.ts";
import type { Denial, RunOutcome } from "../protocol/run-record.ts";
import { addUsage, NO_USAGE, type Usage } from "../protocol/usage.ts";
import { orLeftBehind } from "../shared/or-left-behind.ts";
import { childScope } from "../shared/scope.ts";
import { costOf } from "./cost.ts";
import { watchIdle } from "./idle-watch.ts";
import { LOOP_LIMIT, NO_LOOP, watchLoop } from "./loop-guard.ts";
import { callModel, type StepDraft, type StepResult } from "./model-step.ts";
import { runToolCalls, type ToolCallPart, type ToolStep } from "./tool-step.ts";
import { lastingPorts, type TurnPorts } from "./turn-ports.ts";
import type { TurnSetup } from "./turn-setup.ts";

/**
 * One turn: call the model, run its tools, repeat until it ends. `history` ends with the user message of the turn.
 * Contract: never rejects, and ends within `killAfterMs` of an abort; whatever happens is the outcome. Every message that it opened is
 * finished then, and every tool call has a result, unless the store fails.
 */
export async function runTurn(
  setup: TurnSetup,
  ports: TurnPorts,
  history: readonly Message[],
  parent: AbortSignal,
): Promise<RunOutcome> {
  const { clock } = ports;
  using scope = childScope(parent);
  using watch = watchIdle(
    setup.limits.idleTimeoutMs,
    () => clock.monotonic(),
    () => scope.abort(new RunAborted("idle_timeout")),
  );
  using lasting = lastingPorts(ports, watch.touch);
  const turn = new Turn(setup, lasting, history);
  try {
    const { killAfterMs } = setup.limits;
    return turn.outcome(await orLeftBehind(turn.run(scope.signal), killAfterMs, scope.signal));
  } catch (error) {
    const what = scope.signal.aborted ? abortOf(scope.signal.reason).failure : failureOf(error);
    return turn.interrupted(what);
  }
}

type Ended = "end_turn" | RunFailure;

class Turn {
  readonly #setup: TurnSetup;
  readonly #ports: TurnPorts;
  readonly #messages: Message[];
  readonly #denials: Denial[] = [];
  readonly #warnings: string[] = [];
  #usage: Usage = NO_USAGE;
  #cost: number | null = 0;
  #turns = 0;
  #toolCalls = 0;
  /** The assistant message that is being written or whose tools are running. */
  #open: { id: MessageId; draft: StepDraft; tools: ToolStep | null } | null = null;
  #last: { id: MessageId; text: string } | null = null;

  constructor(setup: TurnSetup, ports: TurnPorts, history: readonly Message[]) {
    this.#setup = setup;
    this.#ports = ports;
    this.#messages = [...history];
  }

  async run(signal: AbortSignal): Promise<Ended> {
    const { sink, emit } = this.#ports;
    let loop = NO_LOOP;
    for (let n = 1; ; n += 1) {
      signal.throwIfAborted();
      const id = sink.open("assistant");
      const draft: StepDraft = { parts: [] };
      this.#open = { id, draft, tools: null };
      emit({ type: "step.started", n, model: this.#setup.model.ref, messageId: id });
      const step = await callModel(this.#stepPorts(), this.#messages, id, draft, signal);
      this.#account(step);
      const calls = step.parts.filter((part): part is ToolCallPart => part.type === "tool_call");
      const goesOn = calls.length > 0 && !CUT_OFF.has(step.finish);
      this.#finish(id, step.parts, goesOn ? "tool_use" : step.finish);
      emit({ type: "step.completed", usage: step.usage, finishReason: step.finish });
      if (!goesOn) {
        this.#open = null;
        this.#storeResults(missingResults(calls, [], "Error: the answer was cut off, nothing ran"));
        return this.#ended(step);
      }
      const tools: ToolStep = { results: [], denials: this.#denials };
      this.#open = { id, draft: { parts: [...step.parts] }, tools };
      this.#toolCalls += calls.length;
      await runToolCalls(this.#toolPorts(), calls, tools, signal);
      this.#storeResults(tools.results);
      this.#open = null;
      loop = watchLoop(loop, settledCalls(calls, tools));
      if (loop.repeats >= LOOP_LIMIT) return loopFailure(calls);
    }
  }

  outcome(ended: Ended): RunOutcome {
    const denied = this.#denials[0];
    const answered = ended === "end_turn" || ended.reason === "empty_output";
    if (answered && denied !== undefined && !this.#setup.allowBlocked) {
      const message = `${denied.name} needed an approval that nobody could give (${denied.rule})`;
      return this.outcome(failure("needs_approval", message, { remedy: denied.remedy }));
    }
    const what = ended === "end_turn" ? null : ended;
    const whole = what === null || what.reason === "needs_approval";
    return {
      reason: what?.reason ?? "end_turn",
      failure: what,
      text: this.#last?.text ?? "",
      messageId: this.#last?.id ?? null,
      partial: !whole && (this.#last?.text ?? "") !== "",
      usage: this.#usage,
      costUsd: this.#cost,
      turns: this.#turns,
      toolCalls: this.#toolCalls,
      models: [this.#setup.model.ref],
      denials: [...this.#denials],
      warnings: this.#warnings,
    };
  }

  /** The turn was aborted or failed on its way: its open message is closed, its tool calls get results. */
  interrupted(what: RunFailure): RunOutcome {
    const open = this.#open;
    if (open !== null) this.#last = { id: open.id, text: textOf(open.draft) };
    try {
      if (what.reason !== "storage") this.#leaveMark(what);
    } catch (error) {
      // The store failed as well: that is the outcome then.
      return this.outcome(failureOf(error));
    }
    return this.outcome(what);
  }

  #leaveMark(what: RunFailure): void {
    const mark = finishOf(what);
    if (this.#open === null) {
      // Between two steps, or before the first: the marker gets a message of its own (PER-2).
      const id = this.#ports.sink.open("assistant");
      this.#last ??= { id, text: "" };
      this.#close(id, [], mark);
      return;
    }
    const { id, draft, tools } = this.#open;
    const done = tools?.results ?? [];
    const why =
      mark.reason === "canceled"
        ? "Error: user cancelled assistant tool calling"
        : "Error: the tool call did not end";
    this.#storeResults([...done, ...missingResults(draft.parts, done, why)]);
    this.#close(id, draft.parts, mark);
  }

  #close(id: MessageId, parts: readonly Part[], mark: FinishMark): void {
    const time = Math.floor(this.#ports.clock.now() / 1000);
    const closed = parts.map((part) =>
      part.type === "reasoning" && part.finishedAt === undefined
        ? { ...part, finishedAt: time }
        : part,
    );
    this.#ports.sink.finish(id, "assistant", [...closed, { type: "finish", time, ...mark }]);
  }

  #finish(id: MessageId, parts: readonly Part[], reason: FinishReason): void {
    const time = Math.floor(this.#ports.clock.now() / 1000);
    const whole = [...parts, { type: "finish" as const, reason, time }];
    this.#messages.push(this.#ports.sink.finish(id, "assistant", whole));
    const text = textOf({ parts });
    this.#last = { id, text };
    this.#ports.emit({ type: "message.completed", messageId: id, text });
  }

  #storeResults(results: readonly Part[]): void {
    if (results.length === 0) return;
    const id = this.#ports.sink.open("tool");
    this.#messages.push(
      this.#ports.sink.finish(id, "tool", [
        ...results,
        { type: "finish", reason: "stop", time: 0 },
      ]),
    );
  }

  #account(step: StepResult): void {
    const cost = costOf(step.usage, this.#setup.prices);
    this.#turns += 1;
    this.#usage = addUsage(this.#usage, step.usage);
    this.#cost = this.#cost === null || cost === null ? null : this.#cost + cost;
    this.#ports.onUsage(step.usage, cost);
  }

  #ended(step: StepResult): Ended {
    const provider = this.#setup.providerId;
    switch (step.finish) {
      case "max_tokens":
        return failure("output_tokens", "the model was cut off at its output limit", {
          remedy: "raise max_tokens of the model in crush.json, or ask for less",
          provider,
        });
      case "content_filter":
        return failure("content_filter", "the provider withheld the answer (content filter)", {
          remedy: "rephrase the prompt, or use another model with -m",
          provider,
        });
      case "error":
        return failure("provider_error", "the model ended its answer with an error", { provider });
      case "end_turn":
      case "stop":
      case "tool_use":
      case "canceled":
      case "unknown":
        break;
    }
    if (textOf(step).trim() === "" && !this.#setup.allowEmpty)
      return failure("empty_output", "the model ended its turn without an answer", {
        remedy: "try again, or use --allow-empty if no answer is fine",
        provider,
      });
    return "end_turn";
  }

  #stepPorts() {
    const { model, system, tools, limits } = this.#setup;
    const { sink, emit, clock, random } = this.#ports;
    return { model, system, tools, limits, sink, emit, clock, random };
  }

  #toolPorts() {
    const { tools, workingDirectory, toolEnv } = this.#setup;
    const { emit, clock, files } = this.#ports;
    return { tools, emit, clock, context: { cwd: workingDirectory, env: toolEnv, files } };
  }
}

interface FinishMark {
  readonly reason: FinishReason;
  readonly message: string;
  readonly details: string;
}

function finishOf(what: RunFailure): FinishMark {
  const cancelled = ENDINGS[what.reason].status === "cancelled";
  if (cancelled) return { reason: "canceled", message: "User canceled request", details: "" };
  return { reason: "error", message: "Run failed", details: what.message };
}

/** Finishes after which the calls of an answer cannot be trusted to be whole. */
const CUT_OFF: ReadonlySet<FinishReason> = new Set(["max_tokens", "content_filter", "error"]);

type ToolResultPart = Extract<Part, { type: "tool_result" }>;

/** A result for every call that has none (PER-11, INV-32). */
function missingResults(
  parts: readonly Part[],
  done: readonly ToolResultPart[],
  content: string,
): ToolResultPart[] {
  const answered = new Set(done.map(({ toolCallId }) => toolCallId));
  return parts
    .filter((part) => part.type === "tool_call")
    .filter(({ id }) => !answered.has(id))
    .map(({ id, name }) => ({
      type: "tool_result",
      toolCallId: id,
      name,
      content,
      isError: true,
      metadata: "",
    }));
}

function settledCalls(calls: readonly ToolCallPart[], tools: ToolStep) {
  return calls.map(({ id, name, input }) => ({
    name,
    input,
    content: tools.results.find(({ toolCallId }) => toolCallId === id)?.content ?? "",
  }));
}

function loopFailure(calls: readonly ToolCallPart[]): RunFailure {
  const names = [...new Set(calls.map(({ name }) => name))].join(", ");
  const message = `the model made the same call ${LOOP_LIMIT} times in a row with the same result (${names})`;
  return failure("loop", message, { remedy: "rephrase the prompt, or use another model with -m" });
}
