import type { JsonObject } from "../shared/json.ts";
import { AnswerRefused } from "./call-errors.ts";
import { eventStreamBody } from "./event-stream-body.ts";
import type { HttpAnswer } from "./http-answer.ts";
import type { HttpClient } from "./http-client.ts";
import type { StreamRule } from "./stream-rule.ts";

/** The `fetch` that one model call hands to the SDK. */
export interface ModelFetch {
  readonly fetch: typeof globalThis.fetch;
  /** Why the call failed, before the SDK wrapped it in its own words; null when nothing did. */
  failure(): Error | null;
}

interface Wanted {
  readonly client: HttpClient;
  readonly rule: StreamRule;
  /** Merged over each request body. */
  readonly extraBody: JsonObject;
  /** Looks into each body before it is sent. */
  readonly check: (body: string) => void;
  readonly signal: AbortSignal;
}

/** How much of a refusal is read, and for how long. */
const REFUSAL_BYTES = 65_536;
const REFUSAL_MS = 5000;

/** Every failure of the transport is remembered, because the SDK reports it in five different shapes. */
export function modelFetch({ client, rule, extraBody, check, signal }: Wanted): ModelFetch {
  let failed: Error | null = null;
  const remember = (error: Error): Error => (failed ??= error);
  const fetch = async (url: unknown, init?: RequestInit): Promise<Response> => {
    try {
      const headers = withoutEmptyKey((init?.headers ?? {}) as Record<string, string>);
      const body = extended(init?.body as string, extraBody);
      check(body);
      const answer = await client.post(String(url), headers, body, signal);
      await refuseOtherThanEvents(answer);
      return {
        ok: true,
        status: answer.status,
        statusText: answer.statusText,
        headers: answer.headers,
        body: eventStreamBody(answer, rule, remember),
      } as unknown as Response;
    } catch (error) {
      throw remember(error instanceof Error ? error : new Error(String(error), { cause: error }));
    }
  };
  return { fetch, failure: () => failed };
}

/** A provider without a key (a local server) gets no empty `Authorization`. */
function withoutEmptyKey(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([, value]) => value !== "" && value.trim() !== "Bearer"),
  );
}

function extended(body: string, extra: JsonObject): string {
  if (Object.keys(extra).length === 0) return body;
  return JSON.stringify({ ...(JSON.parse(body) as JsonObject), ...extra });
}

async function refuseOtherThanEvents(answer: HttpAnswer): Promise<void> {
  const type = answer.headers.get("content-type") ?? "text/event-stream";
  if (answer.status === 200 && /^text\/event-stream\b/i.test(type.trim())) return;
  const text = await answer.text(REFUSAL_BYTES, REFUSAL_MS);
  throw new AnswerRefused(answer.status, answer.headers, text);
}
