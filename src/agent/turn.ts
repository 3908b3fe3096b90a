import { RunFailed, type RunFailure } from "../protocol/ending.ts";
import { failureOf } from "../protocol/failure-of.ts";
import type { MessageId } from "../protocol/ids.ts";
import { textOf, type FinishReason, type Message, type Part } from "../protocol/message.ts";
import type { Denial, RunOutcome } from "../protocol/run-record.ts";
import type { Usage } from "../protocol/usage.ts";
import { hasFiles } from "./context.ts";
import { Conversation } from "./conversation.ts";
import { Ledger } from "./ledger.ts";
import { limitKeeper, limitReached, withinLimit, type Spent } from "./limits.ts";
import { LOOP_LIMIT, NO_LOOP, watchLoop } from "./loop-guard.ts";
import {
  callModel,
  withdraw,
  type StepDraft,
  type StepPorts,
  type StepResult,
} from "./model-step.ts";
import {
  continuationOf,
  noRoomLeft,
  summaryParts,
  SUMMARY_REQUEST,
  SUMMARY_SYSTEM,
} from "./summary.ts";
import { callerOf, summarizers, type Caller } from "./summarizer.ts";
import { runToolCalls, settledCalls, type ToolCallPart, type ToolStep } from "./tool-step.ts";
import {
  blockedBy,
  CUT_OFF,
  endedWith,
  isCancel,
  loopFailure,
  markOf,
  missingResults,
  type Ended,
  type FinishMark,
} from "./turn-endings.ts";
import type { TurnPorts } from "./turn-ports.ts";
import type { TurnSetup, TurnWarning } from "./turn-setup.ts";

/** One turn, or one summary, on its way. `run-turn.ts` bounds it and turns its end into an outcome. */
export class Turn {
  readonly #setup: TurnSetup;
  readonly #ports: TurnPorts;
  readonly #talk: Conversation;
  readonly #main: Caller;
  readonly #summarizer: (talk: Conversation) => Caller;
  readonly #denials: Denial[] = [];
  readonly #warnings: string[] = [];
  readonly #keepLimits: (spent: Spent) => void;
  readonly #ledger: Ledger;
  /** The assistant message that is being written or whose tools are running. */
  #open: { id: MessageId; draft: StepDraft; tools: ToolStep | null } | null = null;
  /** The summary that is being written. */
  #summary: { id: MessageId; draft: StepDraft } | null = null;
  #last: { id: MessageId; text: string } | null = null;
  /** What the turn's own answer made of it, once it is there. */
  #answered: Ended | null = null;
  /** An interrupted turn leaves a mark in the conversation; an interrupted summary does not. */
  #leavesMark = true;

  constructor(setup: TurnSetup, ports: TurnPorts, history: readonly Message[]) {
    this.#setup = setup;
    this.#ports = ports;
    this.#talk = new Conversation(setup, history);
    this.#keepLimits = limitKeeper(setup, (warning) => this.#warn(warning));
    this.#ledger = new Ledger(setup.model.ref);
    const { onKeyRefused } = ports;
    const warn = (warning: TurnWarning): void => this.#warn(warning);
    this.#main = callerOf(setup, { onKeyRefused, warn });
    this.#summarizer = summarizers(setup, this.#main, { onKeyRefused, warn });
  }

  async run(signal: AbortSignal): Promise<Ended> {
    const { sink, emit } = this.#ports;
    for (const warning of this.#setup.warnings) this.#warn(warning);
    this.#warnOfFiles(this.#talk.requests());
    let loop = NO_LOOP;
    for (let n = 1; ; n += 1) {
      signal.throwIfAborted();
      await this.#makeRoom(signal);
      const id = sink.open("assistant");
      const draft: StepDraft = { parts: [] };
      this.#open = { id, draft, tools: null };
      emit({ type: "step.started", n, model: this.#setup.model.ref, messageId: id });
      const startedMs = this.#ports.clock.now();
      const step = await this.#call(
        this.#main,
        this.#stepPorts(),
        this.#talk.read(),
        this.#open,
        signal,
      );
      this.#ledger.countTurn();
      this.#account(this.#main, step.usage);
      const calls = step.parts.filter((part): part is ToolCallPart => part.type === "tool_call");
      const goesOn = calls.length > 0 && !CUT_OFF.has(step.finish);
      this.#finish(id, step, goesOn ? "tool_use" : step.finish, startedMs);
      this.#talk.count(step.usage);
      emit({ type: "step.completed", usage: step.usage, finishReason: step.finish });
      if (!goesOn) {
        this.#open = null;
        this.#storeResults(missingResults(calls, [], "Error: the answer was cut off, nothing ran"));
        return await this.#ended(step, signal);
      }
      const tools: ToolStep = { results: [], denials: this.#denials };
      this.#open = { id, draft: { parts: [...step.parts] }, tools };
      const { allowed, over } = withinLimit(this.#setup, this.#ledger.spent().toolCalls, calls);
      this.#ledger.countTools(allowed.length);
      await runToolCalls(this.#toolPorts(), allowed, tools, signal);
      const left = missingResults(calls, tools.results, `Error: not run: ${over?.message ?? ""}`);
      this.#storeResults([...tools.results, ...left]);
      this.#open = null;
      if (over !== null) throw new RunFailed(over);
      loop = watchLoop(loop, settledCalls(calls, tools));
      if (loop.repeats >= LOOP_LIMIT) return loopFailure(calls);
    }
  }

  async summarizeOnly(signal: AbortSignal): Promise<Ended> {
    this.#leavesMark = false;
    signal.throwIfAborted();
    for (const warning of this.#setup.warnings) this.#warn(warning);
    if (this.#talk.canBeSummarized()) await this.#summarize(signal);
    return "end_turn";
  }

  outcome(ended: Ended, whole = ended === "end_turn"): RunOutcome {
    const blocking = this.#denials.find(({ kind }) => kind === "unapproved");
    const answered = ended === "end_turn" || ended.reason === "empty_output";
    if (answered && blocking !== undefined && !this.#setup.allowBlocked)
      return this.outcome(blockedBy(blocking), true);
    const what = ended === "end_turn" ? null : ended;
    return {
      reason: what?.reason ?? "end_turn",
      failure: what,
      text: this.#last?.text ?? "",
      messageId: this.#last?.id ?? null,
      partial: !whole && (this.#last?.text ?? "") !== "",
      ...this.#ledger.forOutcome(),
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
    const answered = this.#answered;
    const isLate = what.reason === "timeout";
    if (answered === null || isLate || isCancel(what) || what.reason === "storage")
      return this.outcome(what);
    // The answer is whole and stored; that the conversation stays as long as it is ends nothing.
    this.#warnOfNoSummary(what);
    return this.outcome(answered);
  }

  #warnOfNoSummary({ message }: RunFailure): void {
    this.#warn({ code: "summary_failed", message: `no summary: ${message}` });
  }

  #leaveMark(what: RunFailure): void {
    const mark = markOf(what);
    const summary = this.#summary;
    if (summary !== null && isCancel(what)) this.#ports.sink.remove(summary.id); // PER-23
    if (summary !== null && !isCancel(what)) {
      this.#close(summary.id, summary.draft.parts, mark);
      return;
    }
    if (!this.#leavesMark) return;
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
    const time = this.#seconds();
    const closed = parts.map((part) =>
      part.type === "reasoning" && part.finishedAt === undefined
        ? { ...part, finishedAt: time }
        : part,
    );
    this.#ports.sink.finish(id, "assistant", [...closed, { type: "finish", time, ...mark }]);
  }

  #finish(
    id: MessageId,
    { parts, usage }: StepResult,
    reason: FinishReason,
    startedMs: number,
  ): void {
    const step = { startedMs, endedMs: this.#ports.clock.now(), usage };
    const whole = [...parts, { type: "finish" as const, reason, time: this.#seconds(), step }];
    this.#talk.add(this.#ports.sink.finish(id, "assistant", whole));
    const text = textOf({ parts });
    this.#last = { id, text };
    this.#ports.emit({ type: "message.completed", messageId: id, text });
  }

  #storeResults(results: readonly Part[]): void {
    if (results.length === 0) return;
    this.#talk.add(this.#stored("tool", [...results, { type: "finish", reason: "stop", time: 0 }]));
  }

  #stored(role: "tool" | "user", parts: readonly Part[]): Message {
    return this.#ports.sink.finish(this.#ports.sink.open(role), role, parts);
  }

  /** What has joined the turn meanwhile, and room for another answer. Throws when a summary fails. */
  async #makeRoom(signal: AbortSignal): Promise<void> {
    this.#keepLimits(this.#ledger.spent()); // before prompts join that would have no answer
    this.#takeFollowUps();
    while (this.#talk.isTight() && this.#talk.canBeSummarized()) {
      if (this.#talk.isHopeless()) throw noRoomLeft(this.#setup.providerId);
      await this.#summarize(signal);
      this.#keepLimits(this.#ledger.spent());
      const lost = this.#talk.lostRequests();
      if (lost.length > 0) this.#talk.add(this.#stored("user", continuationOf(lost)));
      this.#takeFollowUps();
    }
  }

  #takeFollowUps(): void {
    const joined = this.#ports.takeFollowUps();
    this.#talk.join(joined);
    this.#warnOfFiles(joined);
  }

  async #summarize(signal: AbortSignal): Promise<void> {
    const { sink, emit, clock } = this.#ports;
    const caller = this.#summarizer(this.#talk);
    const { by } = caller;
    const messages = this.#talk.readAnswered(by.takesFiles);
    const id = sink.openSummary(by);
    const draft: StepDraft = { parts: [] };
    this.#summary = { id, draft };
    emit({ type: "summary.started", messageId: id });
    const ports = { ...this.#stepPorts(), system: SUMMARY_SYSTEM, tools: [] };
    const asked = [...messages, SUMMARY_REQUEST];
    const startedMs = clock.now();
    const step = await this.#call(caller, ports, asked, this.#summary, signal);
    this.#account(caller, step.usage);
    const parts = summaryParts(step, { startedMs, endedMs: clock.now() }, by.providerId);
    this.#talk.summarize(sink.finishSummary(id, parts));
    this.#summary = null;
    emit({ type: "summary.completed", messageId: id, usage: step.usage });
  }

  /** One model call, with its retries; a key that is refused is renewed once in a turn (PER-22). */
  async #call(
    { access }: Caller,
    ports: Omit<StepPorts, "model">,
    messages: readonly Message[],
    { id, draft }: { readonly id: MessageId; readonly draft: StepDraft },
    signal: AbortSignal,
  ): Promise<StepResult> {
    for (;;) {
      const model = access.model();
      try {
        return await callModel({ ...ports, model }, messages, id, draft, signal);
      } catch (error) {
        if (!(await access.mayCallAgain(error, signal))) throw error;
        withdraw(ports, id, draft);
      }
    }
  }

  /** A conversation that fills the context is summarised for the next prompt, if this one has its answer. */
  async #ended(step: StepResult, signal: AbortSignal): Promise<Ended> {
    const ended = endedWith(step, this.#setup);
    if (ended !== "end_turn" || !this.#talk.isTight() || this.#talk.isHopeless()) return ended;
    const reached = limitReached(this.#setup, { ...this.#ledger.spent(), turns: 0 }); // a summary is no turn
    if (reached !== null) {
      this.#warnOfNoSummary(reached);
      return ended;
    }
    this.#answered = ended;
    await this.#summarize(signal);
    return ended;
  }

  #account({ by: { model, prices } }: Caller, usage: Usage): void {
    this.#ports.onUsage(usage, this.#ledger.account(model.ref, usage, prices));
  }

  #warnOfFiles(asked: readonly Message[]): void {
    const { takesFiles, model } = this.#setup;
    if (takesFiles || !asked.some(hasFiles)) return;
    const message = `${model.ref} reads no images: attachments that are no text were left out`;
    this.#warn({ code: "attachments_dropped", message });
  }

  #warn(warning: TurnWarning): void {
    this.#warnings.push(warning.message);
    this.#ports.emit({ type: "warning", ...warning });
  }

  #seconds(): number {
    return Math.floor(this.#ports.clock.now() / 1000);
  }

  #stepPorts(): Omit<StepPorts, "model"> {
    const { system, tools, limits } = this.#setup;
    const { sink, emit, clock, random } = this.#ports;
    return { system, tools, limits, sink, emit, clock, random };
  }

  #toolPorts() {
    const { tools, permissions, workingDirectory, toolEnv } = this.#setup;
    const { emit, clock, files } = this.#ports;
    const context = { cwd: workingDirectory, env: toolEnv, files };
    return { tools, permissions, emit, clock, context };
  }
}
