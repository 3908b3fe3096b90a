import { setMaxListeners } from "node:events";
import type { Denial } from "../protocol/run-record.ts";
import type { Part } from "../protocol/message.ts";
import type { TurnEvent } from "../protocol/run-event.ts";
import { isJsonObject, type JsonObject } from "../shared/json.ts";
import type { Clock } from "../shared/clock.ts";
import { orLeftBehind } from "../shared/or-left-behind.ts";
import type { Tool, ToolContext, ToolResult } from "../tools/tool.ts";
import type { SettledCall } from "./loop-guard.ts";

export type ToolCallPart = Extract<Part, { type: "tool_call" }>;
type ToolResultPart = Extract<Part, { type: "tool_result" }>;

export interface ToolPorts {
  readonly tools: readonly Tool[];
  readonly context: Omit<ToolContext, "signal" | "onProgress">;
  readonly emit: (event: TurnEvent) => void;
  readonly clock: Clock;
}

export interface ToolStep {
  /** In the order of the calls; on an abort, only the calls that ended. */
  readonly results: ToolResultPart[];
  readonly denials: Denial[];
}

/** A model may ask for hundreds; each may be a process with pipes. */
const MOST_AT_ONCE = 8;
/** Of one call on the run's signal: more are a leak, and Node may say so. */
const MOST_LISTENERS = 4;

/**
 * Runs the calls of one step into `step`, which the caller keeps when an abort throws: neighbouring calls that only read at the same
 * time (not too many of them), the others one after the other.
 */
export async function runToolCalls(
  ports: ToolPorts,
  calls: readonly ToolCallPart[],
  step: ToolStep,
  signal: AbortSignal,
): Promise<void> {
  setMaxListeners(MOST_AT_ONCE * MOST_LISTENERS, signal);
  for (const batch of batchesOf(ports.tools, calls)) {
    signal.throwIfAborted();
    const settled = await Promise.allSettled(
      batch.map(async (call) => await runToolCall(ports, call, step, signal)),
    );
    for (const one of settled) {
      if (one.status === "fulfilled") step.results.push(one.value);
    }
    signal.throwIfAborted();
    for (const one of settled) if (one.status === "rejected") throw one.reason;
  }
}

function batchesOf(tools: readonly Tool[], calls: readonly ToolCallPart[]): ToolCallPart[][] {
  const readsOnly = (call: ToolCallPart): boolean =>
    tools.find((tool) => tool.name === call.name)?.readsOnly === true;
  const batches: ToolCallPart[][] = [];
  for (const call of calls) {
    const last = batches.at(-1);
    const joins = last !== undefined && last.length < MOST_AT_ONCE && last.every(readsOnly);
    if (joins && readsOnly(call)) last.push(call);
    else batches.push([call]);
  }
  return batches;
}

async function runToolCall(
  ports: ToolPorts,
  call: ToolCallPart,
  step: ToolStep,
  signal: AbortSignal,
): Promise<ToolResultPart> {
  const { emit, clock } = ports;
  const start = clock.monotonic();
  const startedMs = clock.now();
  emit({ type: "tool.started", callId: call.id, name: call.name, input: call.input });
  const result = await execute(ports, call, signal);
  if (result.denied !== undefined) {
    const denial = { callId: call.id, name: call.name, ...result.denied };
    step.denials.push(denial);
    emit({ type: "tool.denied", ...denial });
  }
  const ms = Math.round(clock.monotonic() - start);
  emit({
    type: "tool.completed",
    callId: call.id,
    isError: result.isError,
    output: result.content,
    truncated: result.truncated,
    ms,
  });
  return {
    type: "tool_result",
    toolCallId: call.id,
    name: call.name,
    content: result.content,
    isError: result.isError,
    metadata: result.metadata === undefined ? "" : JSON.stringify(result.metadata),
    span: { startedMs, endedMs: startedMs + ms },
  };
}

async function execute(
  ports: ToolPorts,
  call: ToolCallPart,
  signal: AbortSignal,
): Promise<ToolResult> {
  const tool = ports.tools.find(({ name }) => name === call.name);
  if (tool === undefined) {
    const known = ports.tools.map(({ name }) => name).join(", ");
    return refusal(`There is no tool ${JSON.stringify(call.name)}. The tools are: ${known}.`);
  }
  const input = decodeInput(call.input);
  if (input === null)
    return refusal("The input is not a JSON object; send one that fits the schema.");
  const onProgress = (bytes: number): void =>
    ports.emit({ type: "tool.progress", callId: call.id, bytes });
  try {
    const running = tool.run(input, { ...ports.context, signal, onProgress });
    // A tool that ignores its signal must not hold the run.
    return await orLeftBehind(running, OBEY_MS, signal);
  } catch (error) {
    signal.throwIfAborted();
    // A bug of a tool is the model's to hear of; the run goes on.
    return refusal(`The tool failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function decodeInput(input: string): JsonObject | null {
  try {
    const value: unknown = input.trim() === "" ? {} : JSON.parse(input);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

const refusal = (content: string): ToolResult => ({ content, isError: true, truncated: false });

/** How long a tool may take to obey an abort, before we go on without it. */
const OBEY_MS = 3_000;

/** Each call with what came of it, for the loop guard. */
export const settledCalls = (
  calls: readonly ToolCallPart[],
  { results }: Pick<ToolStep, "results">,
): readonly SettledCall[] =>
  calls.map(({ id, name, input }) => ({
    name,
    input,
    content: results.find(({ toolCallId }) => toolCallId === id)?.content ?? "",
  }));
