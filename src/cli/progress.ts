import type { RunEvent } from "../protocol/run-event.ts";
import { monotonicMs } from "../shared/clock.ts";
import { controlFilter } from "./control-filter.ts";
import type { Flags } from "./flag-values.ts";
import { PROGRESS_MODES, type ProgressMode } from "./progress-mode.ts";
import { FIRST_STATUS, observe, plainStatus, statusParts } from "./run-status.ts";
import type { StatusLine } from "./status-line.ts";
import { usage } from "./usage.ts";

/** News of a run on standard error. */
export interface Progress extends Disposable {
  tell(event: RunEvent): void;
  /** One line. */
  note(line: string): void;
  warn(line: string): void;
  /** One line that was asked for: also a quiet run has it. */
  say(line: string): void;
  /** Out of the way: text is about to be printed. What takes time after it is shown again. */
  stopSpinner(): void;
  /** What the terminal shows now ends with this text: news begins on a line of its own. */
  textShown(text: string): void;
}

export interface ProgressOptions {
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly mode: ProgressMode;
}

/** Throws `usage`. */
export function progressOf(flags: Flags): ProgressOptions {
  const quiet = flags.flag("quiet") ?? false;
  const mode = flags.choice("progress", PROGRESS_MODES) ?? "auto";
  const verbose = flags.flag("verbose") ?? false;
  if (!quiet || mode !== "plain") return { quiet, verbose, mode };
  const given = (["quiet", "progress"] as const).filter((name) => flags.isGiven(name));
  if (given.length !== 1)
    throw usage(
      `${flags.named("quiet")} and ${flags.named("progress")}=plain exclude each other`,
      "give one of them",
    );
  // What is said for this run wins over what is said for all.
  return given[0] === "quiet" ? { quiet, verbose, mode: "none" } : { quiet: false, verbose, mode };
}

/** Since the start of the process: a run that answers faster needs no status line, and does not load one. */
const SHOWN_AFTER_MS = 250;
/** A process that was slow to start gives its run a chance too. */
const SHOWN_AT_LEAST_AFTER_MS = 100;
/** How often a log is told that the run still lives. */
const PLAIN_EVERY_MS = 30_000;

export function showProgress(
  options: ProgressOptions,
  stderr: NodeJS.WriteStream = process.stderr,
  now: () => number = monotonicMs,
): Progress {
  const kind = options.quiet ? "none" : options.mode === "auto" ? automatic(stderr) : options.mode;
  let status = FIRST_STATUS;
  let line: StatusLine | null = null;
  let isMidLine = false;
  let isWanted = false;
  let timer: NodeJS.Timeout | undefined;
  const write = (text: string): void => {
    line?.clear();
    if (isMidLine && stderr.isTTY) stderr.write("\n");
    isMidLine = false;
    stderr.write(`${controlFilter()(text)}\n`); // model and server have their words in it
    line?.render();
  };
  const showLine = async (): Promise<void> => {
    try {
      const { showStatusLine } = await import("./status-line.ts");
      if (!isWanted || line !== null) return;
      if (isMidLine) stderr.write("\n");
      isMidLine = false;
      line = showStatusLine(stderr, () => statusParts(status, now()));
    } catch {
      isWanted = false; // it is not worth a failure
    }
  };
  const showSoon = (afterMs: number): void => {
    if (kind !== "line" || isWanted) return;
    isWanted = true;
    timer = setTimeout(() => void showLine(), afterMs);
  };
  const stopSpinner = (): void => {
    isWanted = false;
    clearTimeout(timer);
    line?.stop();
    line = null;
  };
  const plainly = (): void => write(plainStatus(status, now()));
  const first = Math.max(SHOWN_AT_LEAST_AFTER_MS, SHOWN_AFTER_MS - now());
  showSoon(first);
  // Asked for by name it says at once that something goes on; else only of a run that takes long.
  const early =
    kind === "plain" && options.mode === "plain" ? setTimeout(plainly, first) : undefined;
  const regularly = kind === "plain" ? setInterval(plainly, PLAIN_EVERY_MS) : undefined;
  return {
    note: (text) => {
      if (!options.quiet) write(text);
    },
    warn: (text) => {
      if (!options.quiet) write(`warning: ${text}`);
    },
    say: write,
    tell: (event) => {
      status = observe(status, event, now());
      if (TAKES_TIME.has(event.type)) showSoon(SHOWN_AFTER_MS);
      const text = lineOf(event);
      if (text !== null && (options.verbose || ALWAYS.has(event.type))) write(text);
    },
    stopSpinner,
    textShown: (shown) => {
      isMidLine = !shown.endsWith("\n");
    },
    [Symbol.dispose]: () => {
      stopSpinner();
      clearTimeout(early);
      clearInterval(regularly);
    },
  };
}

/** A terminal without a width (of `script`, of many a CI) cannot be drawn on, and the log of a CI keeps every frame. */
function automatic(stderr: NodeJS.WriteStream): "line" | "plain" {
  const { TERM: terminal, CI: ci = "" } = process.env;
  const isScreen = stderr.isTTY && stderr.columns > 0 && terminal !== "dumb";
  return isScreen && (ci === "" || ci === "false" || ci === "0") ? "line" : "plain";
}

/** Each wait is visible, and so is each refusal. */
const ALWAYS: ReadonlySet<RunEvent["type"]> = new Set(["retry", "tool.denied", "warning"]);

/** What a person may have to wait for. */
const TAKES_TIME: ReadonlySet<RunEvent["type"]> = new Set([
  "run.queued",
  "step.started",
  "tool.started",
  "check.started",
  "summary.started",
  "retry",
]);

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
    case "check.started":
      return `check ${event.n}: ${oneLine(event.command)}`;
    case "check.completed":
      return `check ${verdictOf(event.exitCode)} after ${seconds(event.ms)}`;
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

function verdictOf(exitCode: number | null): string {
  if (exitCode === 0) return "passed";
  return exitCode === null ? "failed" : `failed with exit code ${exitCode}`;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
