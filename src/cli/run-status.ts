import type { RunEvent } from "../protocol/run-event.ts";

/** What a run is doing, as its events tell it. Times are milliseconds since the start of the process. */
export interface RunStatus {
  readonly phase: string;
  /** When the phase began. */
  readonly since: number;
  readonly tools: readonly { readonly callId: string; readonly name: string }[];
  /** Of the model calls that have ended, in and out. */
  readonly tokens: number;
}

export const FIRST_STATUS: RunStatus = {
  phase: "waiting for the model",
  since: 0,
  tools: [],
  tokens: 0,
};

/** One event in; the same status when it says nothing new. */
export function observe(status: RunStatus, event: RunEvent, at: number): RunStatus {
  switch (event.type) {
    case "run.queued": {
      const { ahead } = event;
      return enter(
        status,
        `waiting behind ${ahead} other ${ahead === 1 ? "prompt" : "prompts"}`,
        at,
      );
    }
    case "step.started":
      return enter({ ...status, tools: [] }, `waiting for ${event.model}`, at);
    case "reasoning.delta":
      return enter(status, "thinking", at);
    case "text.delta":
      return enter(status, "answering", at);
    case "tool.started":
      return running(status, [...status.tools, { callId: event.callId, name: event.name }], at);
    case "tool.completed":
    case "tool.denied":
      return running(
        status,
        status.tools.filter(({ callId }) => callId !== event.callId),
        at,
      );
    case "check.started":
      return enter(status, "checking the answer", at);
    case "summary.started":
      return enter(status, "summarising the conversation", at);
    case "retry":
      return enter(status, `waiting ${(event.waitMs / 1000).toFixed(1)} s for another try`, at);
    case "step.completed":
    case "summary.completed": {
      const { inputTokens, outputTokens } = event.usage;
      return { ...status, tokens: status.tokens + inputTokens + outputTokens };
    }
    default:
      return status;
  }
}

/** `running bash · 12s · 3.4k tokens`, from the most important to the least. */
export function statusParts(status: RunStatus, at: number): readonly [string, ...string[]] {
  const tokens = status.tokens === 0 ? [] : [` · ${rounded(status.tokens)} tokens`];
  return [status.phase, ` · ${elapsed(at - status.since)}`, ...tokens];
}

/** For a log: a whole sentence, with what the run took so far. */
export function plainStatus({ phase, since, tokens }: RunStatus, at: number): string {
  return `${phase} for ${elapsed(at - since)}; ${elapsed(at)} in all, ${tokens} tokens so far`;
}

const enter = (status: RunStatus, phase: string, at: number): RunStatus =>
  phase === status.phase ? status : { ...status, phase, since: at };

/** The tool that began last is shown; the time is that of the phase. */
function running(status: RunStatus, tools: RunStatus["tools"], at: number): RunStatus {
  const last = tools.at(-1);
  const more = tools.length > 1 ? ` and ${tools.length - 1} more` : "";
  const phase = last === undefined ? "waiting for the model" : `running ${last.name}${more}`;
  return enter({ ...status, tools }, phase, at);
}

function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [s, m, h] = [seconds % 60, Math.floor(seconds / 60) % 60, Math.floor(seconds / 3600)];
  const two = (n: number): string => String(n).padStart(2, "0");
  if (h > 0) return `${h}h${two(m)}m`;
  return m > 0 ? `${m}m${two(s)}s` : `${s}s`;
}

function rounded(tokens: number): string {
  if (tokens < 10_000) return String(tokens);
  return tokens < 1_000_000 ? `${(tokens / 1000).toFixed(1)}k` : `${(tokens / 1e6).toFixed(1)}M`;
}
