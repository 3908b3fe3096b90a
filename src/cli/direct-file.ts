import { closeSync, constants, openSync, writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { RunFailure } from "../protocol/ending.ts";
import { codeOf, unwritten, type SideFile } from "./side-file.ts";
import { usage } from "./usage.ts";

/** A pipe that nobody reads yet may have a reader that is about to come. */
const READER_WAIT_MS = 5_000;
const AGAIN_AFTER_MS = 10;

/**
 * A pipe, a device or a descriptor of the shell (`/dev/fd/3`): written as it comes, never replaced, and never waited for inside a system
 * call, so that limits and signals are heard. Rejects with `usage` for a pipe without a reader, else with the error of the system.
 */
export async function directFile(
  flag: string,
  path: string,
  signal: AbortSignal,
): Promise<SideFile> {
  const fd = await opened(flag, path, signal);
  let failed: RunFailure | null = null;
  let isClosed = false;
  /** Texts leave one after the other. */
  let written = Promise.resolve();
  const isWanted = (): boolean => !isClosed && failed === null;
  const send = async (bytes: Uint8Array): Promise<void> => {
    for (let at = 0; at < bytes.length && isWanted();)
      try {
        at += writeSync(fd, bytes, at);
      } catch (error) {
        if (codeOf(error) === "EAGAIN") await delay(AGAIN_AFTER_MS);
        else failed = unwritten(flag, path, error);
      }
  };
  return {
    flag,
    path,
    isReplaced: false,
    write: async (text) => {
      written = written.then(async () => await send(Buffer.from(text)));
      await written;
    },
    finish: async () => await written,
    failed: () => failed,
    [Symbol.dispose]: () => {
      if (!isClosed) closeSync(fd);
      isClosed = true;
    },
  };
}

async function opened(flag: string, path: string, signal: AbortSignal): Promise<number> {
  const { O_WRONLY, O_APPEND, O_NONBLOCK } = constants;
  for (let waited = 0; ; waited += AGAIN_AFTER_MS)
    try {
      return openSync(path, O_WRONLY | O_APPEND | O_NONBLOCK);
    } catch (error) {
      if (codeOf(error) !== "ENXIO") throw error;
      if (waited >= READER_WAIT_MS)
        throw usage(`nobody reads the pipe ${path} of ${flag}`, "start its reader first");
      signal.throwIfAborted();
      await delay(AGAIN_AFTER_MS);
    }
}
