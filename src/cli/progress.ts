import type { Ora } from "ora";
import type { RunEvent } from "../protocol/run-event.ts";
import { controlFilter } from "./control-filter.ts";

/** News of a run on standard error. */
export interface Progress extends Disposable {
  tell(event: RunEvent): void;
  /** One line. */
  note(line: string): void;
  warn(line: string): void;
  /** One line that was asked for: also a quiet run has it. */
  say(line: string): void;
  /** Out of the way: text is about to be printed, or the run is over. */
  stopSpinner(): void;
  /** What the terminal shows now ends with this text: news begins on a line of its own. */
  textShown(text: string): void;
}

export interface ProgressOptions {
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** A run that answers faster than this needs no spinner, and does not load one. */
const SPINNER_AFTER_MS = 250;

export function showProgress(options: ProgressOptions): Progress {
  const { stderr } = process;
  let spinner: Ora | null = null;
  // A terminal without a width (of `script`, of many a CI) makes ora clear lines for ever.
  const isScreen = stderr.isTTY && stderr.columns > 0 && process.env["TERM"] !== "dumb";
  let stopped = options.quiet || !isScreen;
  let text = "waiting for the model";
  let isMidLine = false;
  const timer = stopped
    ? null
    : setTimeout(() => {
        void startSpinner();
      }, SPINNER_AFTER_MS);
  const startSpinner = async (): Promise<void> => {
    try {
      const { default: ora } = await import("ora");
      if (!stopped) spinner = ora({ text, stream: stderr, discardStdin: false }).start();
    } catch {
      stopped = true; // a spinner is not worth a failure
    }
  };
  const write = (line: string): void => {
    spinner?.clear();
    if (isMidLine && stderr.isTTY) stderr.write("\n");
    isMidLine = false;
    stderr.write(`${controlFilter()(line)}\n`); // model and server have their words in it
    spinner?.render();
  };
  const stopSpinner = (): void => {
    stopped = true;
    if (timer !== null) clearTimeout(timer);
    spinner?.stop();
    spinner = null;
  };
  const verbose = (line: string): void => {
    if (options.verbose) write(line);
  };
  return {
    note: (line) => {
      if (!options.quiet) write(line);
    },
    warn: (line) => {
      if (!options.quiet) write(`warning: ${line}`);
    },
    say: write,
    tell: (event) => {
      const now = phaseOf(event);
      if (now !== null) {
        text = controlFilter()(now);
        if (spinner !== null) spinner.text = text;
      }
      const line = lineOf(event);
      if (line === null) return;
      if (ALWAYS.has(event.type)) write(line);
      else verbose(line);
    },
    stopSpinner,
    textShown: (shown) => {
      isMidLine = !shown.endsWith("\n");
    },
    [Symbol.dispose]: stopSpinner,
  };
}

/** Each wait is visible, and so is each refusal. */
const ALWAYS: ReadonlySet<RunEvent["type"]> = new Set(["retry", "tool.denied", "warning"]);

function phaseOf(event: RunEvent): string | null {
  switch (event.type) {
    case "run.queued":
      return `waiting behind ${event.ahead} other ${event.ahead === 1 ? "prompt" : "prompts"}`;
    case "step.started":
      return `waiting for ${event.model}`;
    case "reasoning.delta":
      return "thinking";
    case "text.delta":
      return "answering";
    case "tool.started":
      return `running ${event.name}`;
    case "summary.started":
      return "summarising the conversation";
    case "retry":
      return `waiting ${seconds(event.waitMs)} for another try`;
    default:
      return null;
  }
}

function lineOf(event: RunEvent): string | null {
  switch (event.type) {
    case "run.started":
      return `run ${event.runId ?? ""} in session ${event.sessionId} with ${event.model}`;
    case "run.queued":
      return `queued: ${event.ahead} ahead`;
    case "tool.started":
      return `tool ${event.name} ${oneLine(event.input)}`;
    case "tool.completed":
      return `tool ended after ${seconds(event.ms)}${event.isError ? " with an error" : ""}`;
    case "tool.denied":
      return `warning: ${event.name} was refused (${event.rule}); ${event.remedy}`;
    case "step.completed":
      return `step ended (${event.finishReason}): ${event.usage.inputTokens} tokens in, ${event.usage.outputTokens} out`;
    case "summary.started":
      return "the conversation fills the model's context; summarising it";
    case "summary.completed":
      return `summarised: ${event.usage.inputTokens} tokens in, ${event.usage.outputTokens} out`;
    case "retry":
      return `retry ${event.attempt}/${event.max} in ${seconds(event.waitMs)}: ${event.cause}`;
    case "warning":
      return `warning: ${event.message}`;
    default:
      return null;
  }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
