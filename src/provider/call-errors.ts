import type { JsonObject } from "../shared/json.ts";

/** An answer that is not the event stream we asked for: an HTTP error, a page, an error object. */
export class AnswerRefused extends Error {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** Bounded; as sent. */
  readonly body: string;
  constructor(status: number, headers: { get(name: string): string | null }, body: string) {
    super(`HTTP ${status}`);
    this.name = "AnswerRefused";
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

/** The provider told of an error inside a stream that had begun well. */
export class StreamFault extends Error {
  /** The provider's word for it: `overloaded_error`, `server_error`, `429`. */
  readonly code: string | null;
  constructor(message: string, code: string | null) {
    super(message);
    this.name = "StreamFault";
    this.code = code;
  }
}

/** The error inside an error object of any family: a string, `{message, code|type|status}`, or nothing usable. */
export function faultOf(error: unknown, fallback: string): StreamFault {
  if (typeof error === "string") return new StreamFault(error, null);
  const { message, code, type, status } = (error ?? {}) as JsonObject;
  const word = [code, type, status].find(
    (each) => typeof each === "string" || typeof each === "number",
  );
  return new StreamFault(
    typeof message === "string" && message !== "" ? message : fallback,
    typeof word === "string" || typeof word === "number" ? String(word) : null,
  );
}
