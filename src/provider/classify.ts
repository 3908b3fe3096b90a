import { failure } from "../protocol/ending.ts";
import type { RunFailure } from "../protocol/ending.ts";
import { TransportFailed } from "../net/transport-failed.ts";
import { isJsonObject } from "../shared/json.ts";
import { masked } from "../shared/masked.ts";
import { AnswerRefused, StreamFault, faultOf } from "./call-errors.ts";
import { ModelCallFailed } from "./language-model.ts";

/** Who was called, for the messages. */
export interface Called {
  /** Provider id. */
  readonly provider: string;
  /** Model id. */
  readonly model: string;
  /** Masked wherever a provider echoes it. */
  readonly secrets: readonly string[];
  /** Unix milliseconds; for a `Retry-After` that is a date. */
  readonly now: number;
}

const MESSAGE_LIMIT = 300;

/**
 * The one place that says what a failed call means: its reason, whether it may be made again and when.
 * design.md section 2, row "provider" and the ending table. Contract: must not throw.
 */
export function classify(error: unknown, called: Called): ModelCallFailed {
  if (error instanceof ModelCallFailed) return error;
  const fail = (verdict: Verdict): ModelCallFailed => {
    const { reason, message, remedy = null, httpStatus = null, retryable } = verdict;
    const said = failure(reason, oneLine(`${called.provider}: ${message}`, called.secrets), {
      remedy,
      httpStatus,
      provider: called.provider,
    });
    return new ModelCallFailed(said, {
      retryable,
      retryAfterMs: verdict.retryAfterMs ?? null,
      cause: error,
    });
  };
  if (error instanceof TransportFailed) {
    const { message, retryable, remedy } = error;
    if (retryable) return fail({ ...UNAVAILABLE, message, remedy });
    return fail({ ...BROKEN, message, remedy: remedy ?? BASE_URL_REMEDY });
  }
  if (error instanceof StreamFault) return fail(ofFault(error, called));
  if (error instanceof AnswerRefused) return fail(ofRefusal(error, called));
  const { name = "", message = String(error) } = (error ?? {}) as {
    name?: string;
    message?: string;
  };
  if (name === "AI_InvalidArgumentError")
    return fail({ reason: "invalid_config", retryable: false, message, remedy: OPTIONS_REMEDY });
  return fail({ ...BROKEN, message: `the answer was not understood: ${message}` });
}

interface Verdict {
  readonly reason: RunFailure["reason"];
  readonly retryable: boolean;
  readonly message: string;
  readonly remedy?: string | null;
  readonly httpStatus?: number | null;
  readonly retryAfterMs?: number | null;
}

const UNAVAILABLE = { reason: "provider_unavailable", retryable: true } as const;
const BROKEN = { reason: "provider_error", retryable: false } as const;
const REFUSED = { reason: "auth_refused", retryable: false } as const;
const TOO_LONG = {
  reason: "context",
  retryable: false,
  remedy: "Start a new session, or choose a model with a larger context",
} as const;
const BASE_URL_REMEDY = "Check base_url: http or https, host and port";
const OPTIONS_REMEDY = "Correct provider_options in the configuration";

const RETRIED = new Set([408, 409, 425, 429, 500, 502, 503, 504, 529]);

function ofRefusal(error: AnswerRefused, called: Called): Verdict {
  const { status, headers, body } = error;
  const told = errorIn(body);
  if (status === 200) {
    const type = (headers.get("content-type") ?? "").split(";")[0] ?? "";
    if (told !== null) return ofFault(told, called);
    const message = `answered 200 but not with an event stream (${type.trim()})`;
    return { ...BROKEN, message, httpStatus: 200, remedy: "Check base_url of the provider" };
  }
  const words = told?.message ?? "";
  const message = words === "" ? `HTTP ${status}` : `HTTP ${status}: ${words}`;
  const verdict = ofStatus(status, message, told?.code ?? null, called);
  return verdict.retryable
    ? { ...verdict, retryAfterMs: retryAfter(headers, called.now) }
    : verdict;
}

/** An error told in words: its code is either a status or one of the providers' names for one. */
function ofFault({ message, code }: StreamFault, called: Called): Verdict {
  const word = code ?? "";
  const status = /^[45]\d\d$/.test(word) ? Number(word) : statusOfWord(word);
  const verdict = ofStatus(status ?? 0, message, code, called);
  // It did not come as a status, so none is claimed.
  return { ...verdict, httpStatus: /^[45]\d\d$/.test(word) ? status : null };
}

function ofStatus(status: number, message: string, code: string | null, called: Called): Verdict {
  const httpStatus = status === 0 ? null : status;
  if (isTooLong(status, message, code)) return { ...TOO_LONG, message, httpStatus };
  if (status === 402 || isOutOfCredit(message, code))
    return { ...BROKEN, message, httpStatus, remedy: "Add credit with the provider" };
  if (status === 401 || status === 403) {
    const remedy = `Check the API key of ${called.provider} (its environment variable or api_key)`;
    return { ...REFUSED, message, httpStatus, remedy };
  }
  if (status === 404) {
    const remedy = `Check the model name ${called.model} and base_url of ${called.provider}`;
    return { ...BROKEN, message: `${message} (model ${called.model})`, httpStatus, remedy };
  }
  if (RETRIED.has(status)) return { ...UNAVAILABLE, message, httpStatus };
  if (status >= 300 && status < 400)
    return { ...BROKEN, message, httpStatus, remedy: "Set base_url to where it redirects" };
  return { ...BROKEN, message, httpStatus };
}

const isTooLong = (status: number, message: string, code: string | null): boolean =>
  status === 413 ||
  code === "context_length_exceeded" ||
  ((status === 400 || status === 0) &&
    /context.{0,10}(length|window)|prompt is too long|too many (input )?tokens|exceeds? the maximum number of tokens|input token count/i.test(
      message,
    ));

const isOutOfCredit = (message: string, code: string | null): boolean =>
  code === "insufficient_quota" ||
  code === "billing_error" ||
  /insufficient_quota|credit balance is too low/i.test(message);

const WORDS: ReadonlyMap<string, number> = new Map([
  ["overloaded_error", 529],
  ["api_error", 500],
  ["server_error", 500],
  ["internal_server_error", 500],
  ["internal", 500],
  ["timeout_error", 504],
  ["deadline_exceeded", 504],
  ["server_overloaded", 503],
  ["unavailable", 503],
  ["rate_limit_error", 429],
  ["rate_limit_exceeded", 429],
  ["resource_exhausted", 429],
  ["authentication_error", 401],
  ["invalid_api_key", 401],
  ["unauthenticated", 401],
  ["permission_error", 403],
  ["permission_denied", 403],
  ["not_found_error", 404],
  ["model_not_found", 404],
  ["not_found", 404],
  ["request_too_large", 413],
  ["invalid_request_error", 400],
  ["invalid_argument", 400],
]);

const statusOfWord = (word: string): number | null => WORDS.get(word.toLowerCase()) ?? null;

/** The error inside a JSON body of any family, or null: HTML and other text is never shown. */
function errorIn(body: string): StreamFault | null {
  try {
    const value: unknown = JSON.parse(body);
    // Gemini without `alt=sse` answers with an array.
    const object: unknown = Array.isArray(value) ? value[0] : value;
    if (!isJsonObject(object)) return null;
    const error = object["error"] ?? object["detail"] ?? object;
    const fault = faultOf(error, "");
    return fault.message === "" && fault.code === null ? null : fault;
  } catch {
    return null;
  }
}

/** Milliseconds of `retry-after-ms`, or of `retry-after` (seconds or a date); null when absent or unreadable. */
function retryAfter(headers: { get(name: string): string | null }, now: number): number | null {
  const ms = Number.parseFloat(headers.get("retry-after-ms") ?? "");
  if (ms >= 0) return Math.round(ms);
  const after = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(after)) return Math.round(Number(after) * 1000);
  const date = Date.parse(after);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

function oneLine(text: string, secrets: readonly string[]): string {
  let line = masked(
    text,
    secrets.filter((secret) => secret.length >= 8),
  );
  // A provider may echo a key that we do not know as one (the beginning of ours, another's).
  line = line.replaceAll(/\b(sk|key|xai|gsk|AIza)[-_][\w*.-]{8,}/g, "***");
  // Control characters have no business on a terminal.
  line = line.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  const whole = line.length <= MESSAGE_LIMIT ? line : `${line.slice(0, MESSAGE_LIMIT - 1)}…`;
  return whole.replace(/\.$/, "");
}
