import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import type { FakeFrame, FakeStep, FakeWire } from "./fake-script.ts";

/** Bytes for the socket, or what becomes of the connection at this point. */
type Move = Buffer | "reset" | "cut" | "silence" | "end";

/**
 * Sends one scripted answer and its fault. Returns when the last byte was handed to the socket, also when the
 * client has left.
 */
export async function sendAnswer(
  response: ServerResponse,
  step: FakeStep,
  wire: FakeWire,
  frames: Iterable<FakeFrame>,
): Promise<void> {
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-request-id": "req_fake0001",
    ...step.headers,
  });
  response.flushHeaders();
  for await (const move of packets(moves(step, wire, frames), step)) {
    if (response.destroyed) return;
    if (move === "silence") return;
    if (move === "end") {
      response.end();
      return;
    }
    if (move === "reset") response.socket?.resetAndDestroy();
    else if (move === "cut") response.socket?.end();
    else await write(response, move, step);
  }
}

/** Waits while the reader is slow, and lets each packet leave on its own (one tick's writes share a segment). */
async function write(response: ServerResponse, bytes: Buffer, step: FakeStep): Promise<void> {
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  response.once("close", leave);
  try {
    if (!response.write(bytes)) await once(response, "drain", { signal: gone.signal });
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  } finally {
    response.off("close", leave);
  }
  if (step.write !== "64k") await nextTurn();
}

/** The script applied to the frames: waits, faults and the form of the lines. */
async function* moves(
  step: FakeStep,
  wire: FakeWire,
  frames: Iterable<FakeFrame>,
): AsyncGenerator<Move> {
  let deltas = 0;
  let finishing = false;
  let broken: Move | undefined;
  for (const frame of frames) {
    if (frame.kind !== "structure" && step.pause?.after === deltas) await step.pause.until;
    if (frame.kind === "delta") {
      broken = breakAt(step, deltas);
      if (broken !== undefined) break;
      if (step.delayMs !== undefined) await delay(step.delayMs);
      deltas++;
    } else if (frame.kind === "finish" && !finishing) {
      finishing = true;
      if (step.brokenJson === true)
        yield Buffer.from(`data: {"broken": "jso${eol(step).repeat(2)}`);
      broken = breakAtFinish(step);
      const last = lastWords(step, wire, frame);
      if (last !== undefined) yield Buffer.from(last);
      if (broken !== undefined) break;
    }
    const comment = step.comments === true ? `: keep-alive${eol(step).repeat(2)}` : "";
    yield Buffer.from(comment + lines(frame, step));
  }
  yield broken ?? (step.neverClose === true ? "silence" : "end");
}

function breakAt(step: FakeStep, deltas: number): Move | undefined {
  if (step.resetAfter === deltas) return "reset";
  if (step.cutAfter === deltas) return "cut";
  return step.silenceAfter === deltas ? "silence" : undefined;
}

/** A fault that was to come after more deltas than there are comes after the last one. */
function breakAtFinish(step: FakeStep): Move | undefined {
  if (step.resetAfter !== undefined) return "reset";
  if (step.cutAfter !== undefined) return "cut";
  if (step.silenceAfter !== undefined) return "silence";
  const ends = step.endWithoutFinish ?? step.truncatedLine ?? step.errorEvent ?? false;
  return ends === false ? undefined : "end";
}

/** What a broken answer still says in place of its finish marker. */
function lastWords(step: FakeStep, wire: FakeWire, finish: FakeFrame): string | undefined {
  if (step.truncatedLine === true) {
    const whole = lines(finish, step);
    return whole.slice(0, whole.length / 2);
  }
  if (step.errorEvent === undefined || step.errorEvent === false) return undefined;
  const message = step.errorEvent === true ? "The server had an error" : step.errorEvent;
  return lines(wire.errorFrame(message), step);
}

const eol = (step: FakeStep): string => (step.crlf === true ? "\r\n" : "\n");

function lines(frame: FakeFrame, step: FakeStep): string {
  const event = frame.event === undefined ? "" : `event: ${frame.event}${eol(step)}`;
  return `${event}data: ${frame.data}${eol(step)}${eol(step)}`;
}

/** Cuts the bytes into packets as the step says. What is held back leaves before the connection changes. */
async function* packets(source: AsyncIterable<Move>, step: FakeStep): AsyncGenerator<Move> {
  const size = step.splitBytes ?? (step.write === "64k" ? 64 * 1024 : undefined);
  let held: Buffer[] = [];
  let length = 0;
  for await (const move of source) {
    if (size === undefined) {
      yield move;
      continue;
    }
    if (typeof move !== "string") {
      held.push(move);
      length += move.length;
      if (length < size) continue;
    }
    let bytes = Buffer.concat(held);
    while (bytes.length >= size) {
      yield bytes.subarray(0, size);
      bytes = bytes.subarray(size);
    }
    held = [bytes];
    length = bytes.length;
    if (typeof move === "string") {
      if (length > 0) yield bytes;
      yield move;
    }
  }
}
