import { RunFailed, type RunFailure } from "../protocol/ending.ts";
import { failureOf } from "../protocol/failure-of.ts";
import type { MessageId } from "../protocol/ids.ts";
import { textOf, type Message } from "../protocol/message.ts";
import type { Denial, RunOutcome } from "../protocol/run-record.ts";
import type { Usage } from "../protocol/usage.ts";
import { hasFiles } from "./context.ts";
import { briefingOf } from "./briefing.ts";
import { Conversation } from "./conversation.ts";
import type { GatePorts, Gates, Verdict } from "./gates.ts";
import { Ledger } from "./ledger.ts";
import { limitKeeper, limitReached, withinLimit, type Spent } from "./limits.ts";
import { LOOP_LIMIT, NO_LOOP, watchLoop } from "./loop-guard.ts";
import { type StepDraft, type StepPorts, type StepResult } from "./model-step.ts";
import {
  continuationOf,
  noRoomLeft,
  summaryParts,
  SUMMARY_REQUEST,
  SUMMARY_SYSTEM,
} from "./summary.ts";
import { callerOf, summarizers, type Caller } from "./summarizer.ts";
import { Transcript } from "./transcript.ts";
import {
  runToolCalls,
  settledCalls,
  type ToolCallPart,
  type ToolPorts,
  type ToolStep,
} from "./tool-step.ts";
import {
  blockedBy,
  CUT_OFF,
  endedWith,
  hasAnswer,
  isCancel,
  loopFailure,
  markOf,
  missingResults,
  type Ended,
} from "./turn-endings.ts";
import type { TurnPorts } from "./turn-ports.ts";
import type { TurnSetup, TurnWarning } from "./turn-setup.ts";

/** One turn, or one summary, on its way. `run-turn.ts` bounds it and turns its end into an outcome. */
export class Turn {
  readonly #setup: TurnSetup;
  readonly #ports: TurnPorts;
  /** What the model is told of in each call, and may call. */
  readonly #briefing: Pick<StepPorts, "system" | "tools">;
  readonly #gates: Gates | null;
  readonly #talk: Conversation;
  readonly #transcript: Transcript;
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
  /** What the turn's own answer made of it, once it is there. */
  #verdict: Ended | null = null;
  /** The message that is a whole answer, whatever a check or a deadline makes of the run. */
  #whole: MessageId | null = null;
  #loop = NO_LOOP;
  /** An interrupted turn leaves a mark in the conversation; an interrupted summary does not. */
  #leavesMark = true;

  constructor(setup: TurnSetup, ports: TurnPorts, history: readonly Message[]) {
    this.#setup = setup;
    this.#ports = ports;
    this.#briefing = briefingOf(setup);
    this.#gates = setup.gates?.open(this.#gatePorts()) ?? null;
    this.#talk = new Conversation({ ...setup, ...this.#briefing }, history);
    this.#transcript = new Transcript(this.#talk, ports);
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
    for (let n = 1; ; n += 1) {
      signal.throwIfAborted();
      await this.#makeRoom(signal);
      const id = sink.open("assistant");
      const draft: StepDraft = { parts: [] };
      this.#open = { id, draft, tools: null };
      emit({ type: "step.started", n, model: this.#setup.model.ref, messageId: id });
      const startedMs = this.#ports.clock.now();
      const step = await this.#main.access.call(
        this.#stepPorts(),
        this.#talk.read(),
        this.#open,
        signal,
      );
      this.#ledger.countTurn();
      this.#account(this.#main, step.usage);
      const calls = step.parts.filter((part): part is ToolCallPart => part.type === "tool_call");
      const goesOn = calls.length > 0 && !CUT_OFF.has(step.finish);
      this.#transcript.finish(id, step, goesOn ? "tool_use" : step.finish, startedMs);
      this.#talk.count(step.usage);
      emit({ type: "step.completed", usage: step.usage, finishReason: step.finish });
      const ended = goesOn
        ? await this.#called(calls, signal)
        : await this.#answered(step, calls, signal);
      if (ended !== null) return ended;
    }
  }

  async summarizeOnly(signal: AbortSignal): Promise<Ended> {
    this.#leavesMark = false;
    signal.throwIfAborted();
    for (const warning of this.#setup.warnings) this.#warn(warning);
    if (this.#talk.canBeSummarized()) await this.#summarize(signal);
    return "end_turn";
  }

  outcome(ended: Ended, whole = hasAnswer(ended)): RunOutcome {
    const blocking = this.#denials.find(({ kind }) => kind === "unapproved");
    const answered = ended === "end_turn" || ended.reason === "empty_output";
    if (answered && blocking !== undefined && !this.#setup.allowBlocked)
      return this.outcome(blockedBy(blocking), true);
    const what = ended === "end_turn" ? null : ended;
    const { id: messageId, text: said } = this.#transcript.last ?? { id: null, text: "" };
    const answer = this.#gates?.answerIn(said) ?? { text: said };
    return {
      reason: what?.reason ?? "end_turn",
      failure: what,
      ...answer,
      messageId,
      partial: !whole && this.#whole !== messageId && answer.text !== "",
      ...this.#ledger.forOutcome(),
      denials: [...this.#denials],
      warnings: this.#warnings,
    };
  }

  /** The turn was aborted or failed on its way: its open message is closed, its tool calls get results. */
  interrupted(what: RunFailure): RunOutcome {
    const open = this.#open;
    if (open !== null) this.#transcript.last = { id: open.id, text: textOf(open.draft) };
    try {
      if (what.reason !== "storage") this.#leaveMark(what);
    } catch (error) {
      // The store failed as well: that is the outcome then.
      return this.outcome(failureOf(error));
    }
    const answered = this.#verdict;
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
      this.#transcript.close(summary.id, summary.draft.parts, mark);
      return;
    }
    if (!this.#leavesMark) return;
    if (this.#open === null) {
      // Between two steps, or before the first: the marker gets a message of its own (PER-2).
      const id = this.#ports.sink.open("assistant");
      this.#transcript.last ??= { id, text: "" };
      this.#transcript.close(id, [], mark);
      return;
    }
    const { id, draft, tools } = this.#open;
    const done = tools?.results ?? [];
    const why =
      mark.reason === "canceled"
        ? "Error: user cancelled assistant tool calling"
        : "Error: the tool call did not end";
    this.#transcript.addResults([...done, ...missingResults(draft.parts, done, why)]);
    this.#transcript.close(id, draft.parts, mark);
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
      if (lost.length > 0) this.#transcript.addRequest(continuationOf(lost));
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
    const step = await caller.access.call(ports, asked, this.#summary, signal);
    this.#account(caller, step.usage);
    const parts = summaryParts(step, { startedMs, endedMs: clock.now() }, by.providerId);
    this.#talk.summarize(sink.finishSummary(id, parts));
    this.#summary = null;
    emit({ type: "summary.completed", messageId: id, usage: step.usage });
  }

  /** The step asked for tools, or gave the answer by one. Null: the turn goes on. */
  async #called(calls: readonly ToolCallPart[], signal: AbortSignal): Promise<Ended | null> {
    const { answers, others } = this.#sorted(calls);
    const tools: ToolStep = { results: [], denials: this.#denials };
    if (this.#open !== null) this.#open.tools = tools;
    const { allowed, over } = withinLimit(this.#setup, this.#ledger.spent().toolCalls, others);
    this.#ledger.countTools(allowed.length);
    await runToolCalls(this.#toolPorts(), allowed, tools, signal);
    const gates = answers.length > 0 && over === null ? this.#gates : null;
    const judged = gates?.judgeCalls(answers, others.length === 0) ?? null;
    const done = [...tools.results, ...(judged?.results ?? [])];
    const left = missingResults(calls, done, `Error: not run: ${over?.message ?? ""}`);
    this.#transcript.addResults([...done, ...left]);
    this.#open = null;
    if (over !== null) throw new RunFailed(over);
    if (others.length > 0) this.#loop = watchLoop(this.#loop, settledCalls(others, tools));
    if (this.#loop.repeats >= LOOP_LIMIT) return loopFailure(others);
    if (gates === null || judged === null || judged.verdict.type === "again") return null;
    if (gates.structured !== null) this.#transcript.addAnswer(gates.structured.text);
    return await this.#passed(gates, judged.verdict, signal);
  }

  #sorted(calls: readonly ToolCallPart[]): Record<"answers" | "others", readonly ToolCallPart[]> {
    const answerTool = this.#setup.gates?.answerTool?.name;
    return {
      answers: calls.filter(({ name }) => name === answerTool),
      others: calls.filter(({ name }) => name !== answerTool),
    };
  }

  /** The step is an answer in words. Null: it has to be given again. */
  async #answered(
    step: StepResult,
    calls: readonly ToolCallPart[],
    signal: AbortSignal,
  ): Promise<Ended | null> {
    this.#open = null;
    const cut = missingResults(calls, [], "Error: the answer was cut off, nothing ran");
    this.#transcript.addResults(cut);
    const ended = endedWith(step, this.#setup);
    const gates = this.#gates;
    if (gates === null || !gates.judges(ended)) return await this.#settled(ended, signal);
    return await this.#passed(gates, gates.judgeText(textOf(step)), signal);
  }

  /** After the verdict of the schema that of the check. Null: the model was told to answer again. */
  async #passed(gates: Gates, verdict: Verdict, signal: AbortSignal): Promise<Ended | null> {
    if (verdict.type === "accept") this.#whole = this.#transcript.last?.id ?? null;
    const last = verdict.type === "accept" ? await gates.check(signal) : verdict;
    if (last.type === "fail") return last.failure;
    if (last.type === "accept") return await this.#settled("end_turn", signal);
    this.#transcript.ask(last.words);
    return null;
  }

  /** A conversation that fills the context is summarised for the next prompt, if this one has its answer. */
  async #settled(ended: Ended, signal: AbortSignal): Promise<Ended> {
    if (ended !== "end_turn" || !this.#talk.isTight() || this.#talk.isHopeless()) return ended;
    const reached = limitReached(this.#setup, { ...this.#ledger.spent(), turns: 0 }); // a summary is no turn
    if (reached !== null) {
      this.#warnOfNoSummary(reached);
      return ended;
    }
    this.#verdict = ended;
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

  #stepPorts(): Omit<StepPorts, "model"> {
    const { sink, emit, clock, random } = this.#ports;
    return { ...this.#briefing, limits: this.#setup.limits, sink, emit, clock, random };
  }

  #toolPorts(): ToolPorts {
    const { tools, permissions, workingDirectory, toolEnv } = this.#setup;
    const { emit, clock, files } = this.#ports;
    const context = { cwd: workingDirectory, env: toolEnv, files };
    return { tools, permissions, emit, clock, context };
  }

  #gatePorts(): GatePorts {
    const { workingDirectory: cwd, toolEnv: env } = this.#setup;
    const { emit, clock } = this.#ports;
    return { emit, clock, cwd, env, warn: (warning) => this.#warn(warning) };
  }
}
