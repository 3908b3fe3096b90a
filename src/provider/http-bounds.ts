import { parseDuration } from "../shared/duration.ts";

/** Bounds of one HTTP exchange with a provider, in milliseconds. */
export interface HttpBounds {
  /** Name lookup, TCP, proxy and TLS together. */
  readonly connectMs: number;
  /** From the connection to the headers of the answer. */
  readonly firstByteMs: number;
}

/** design.md section 2: connect 10 s, first byte 180 s; `CRUSH_RUN_*` twins for what needs other ones. */
export function httpBounds(env: Readonly<Record<string, string | undefined>>): HttpBounds {
  return {
    connectMs: duration(env["CRUSH_RUN_CONNECT_TIMEOUT"]) ?? 10_000,
    firstByteMs: duration(env["CRUSH_RUN_FIRST_BYTE_TIMEOUT"]) ?? 180_000,
  };
}

function duration(text: string | undefined): number | null {
  const ms = text === undefined ? null : parseDuration(text.trim());
  // A timer longer than this fires at once.
  return ms === null || ms <= 0 ? null : Math.min(ms, 2 ** 31 - 1);
}
