import { setMaxListeners } from "node:events";
import type { Denial } from "../protocol/run-record.ts";
import type { Part } from "../protocol/message.ts";
import type { TurnEvent } from "../protocol/run-event.ts";
import { isJsonObject, type JsonObject } from "../shared/json.ts";
import type { Clock } from "../shared/clock.ts";
import { orLeftBehind } from "../shared/or-left-behind.ts";
import { isMcpTool } from "../protocol/permission-rule.ts";
import { RunFailed } from "../protocol/ending.ts";
import { childScope, type Scope } from "../shared/scope.ts";
import type { Permissions, Wish } from "../tools/permissions/permissions.ts";
import type { Tool, ToolContext, ToolResult } from "../tools/tool.ts";
import type { SettledCall } from "./loop-guard.ts";
import { blockedBy } from "./turn-endings.ts";

export type ToolCallPart = Extract<Part, { type: "tool_call" }>;
export type ToolResultPart = Extract<Part, { type: "tool_result" }>;

export interface ToolPorts {
  readonly tools: readonly Tool[];
  readonly permissions: Permissions;
  readonly context: Pick<ToolContext, "cwd" | "env" | "files">;
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
 * time (not too many of them), the others one after the other. With `onAsk: "abort"` a call that nobody could approve ends it at once.
 */
export async function runToolCalls(
  ports: ToolPorts,
  calls: readonly ToolCallPart[],
  step: ToolStep,
  signal: AbortSignal,
): Promise<void> {
  using scope = childScope(signal);
  setMaxListeners(MOST_AT_ONCE * MOST_LISTENERS, scope.signal);
  for (const batch of batchesOf(ports.tools, calls)) {
    scope.signal.throwIfAborted();
    const settled = await Promise.allSettled(
      batch.map(async (call) => await runToolCall(ports, call, step, scope)),
    );
    for (const one of settled) {
      if (one.status === "fulfilled") step.results.push(one.value);
    }
    scope.signal.throwIfAborted();
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
  scope: Scope,
): Promise<ToolResultPart> {
  const { emit, clock, permissions } = ports;
  const start = clock.monotonic();
  const startedMs = clock.now();
  emit({ type: "tool.started", callId: call.id, name: call.name, input: call.input });
  const result = await execute(ports, call, scope.signal);
  if (result.denied !== undefined) {
    const denial = { callId: call.id, name: call.name, ...result.denied };
    step.denials.push(denial);
    emit({ type: "tool.denied", ...denial });
    if (denial.kind === "unapproved" && permissions.onAsk === "abort")
      scope.abort(new RunFailed(blockedBy(denial)));
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
    return mistake(`There is no tool ${JSON.stringify(call.name)}. The tools are: ${known}.`);
  }
  const input = decodeInput(call.input);
  if (input === null)
    return mistake("The input is not a JSON object; send one that fits the schema.");
  const onProgress = (bytes: number): void =>
    ports.emit({ type: "tool.progress", callId: call.id, bytes });
  const { permissions, context } = ports;
  const permit = async (wish: Wish): Promise<ToolResult | null> =>
    await permissions.permit(tool.name, wish);
  try {
    // What takes no pattern is judged here, as a whole.
    const refused = isMcpTool(tool.name) ? await permit({ kind: "none" }) : null;
    if (refused !== null) return refused;
    const hides = permissions.hides(tool.name);
    const running = tool.run(input, { ...context, permit, hides, signal, onProgress });
    // A tool that ignores its signal must not hold the run.
    return await orLeftBehind(running, OBEY_MS, signal);
  } catch (error) {
    signal.throwIfAborted();
    // A bug of a tool is the model's to hear of; the run goes on.
    return mistake(`The tool failed: ${error instanceof Error ? error.message : String(error)}`);
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

const mistake = (content: string): ToolResult => ({ content, isError: true, truncated: false });

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
