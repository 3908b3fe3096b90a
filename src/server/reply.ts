import type { Answer } from "../protocol/http.ts";
import type { Json } from "../shared/json.ts";
import { encodeErrorBody } from "../protocol/error-body.ts";
import type { Reason, RunFailure } from "../protocol/ending.ts";

/**
 * What a route answers. Not Node's `Response`: loading that costs a cold start 15 ms and 10 MiB, and hono only passes it on.
 */
export class Reply implements Answer {
  readonly status: number;
  readonly headers: Answer["headers"];
  readonly #content: string | AsyncIterable<string>;

  constructor(
    status: number,
    headers: Record<string, string>,
    content: string | AsyncIterable<string>,
  ) {
    this.status = status;
    this.headers = { get: (name) => headers[name.toLowerCase()] ?? null };
    this.#content = content;
  }

  get body(): AsyncIterable<string> | null {
    if (typeof this.#content !== "string") return this.#content;
    return this.#content === "" ? null : once(this.#content);
  }

  async text(): Promise<string> {
    if (typeof this.#content === "string") return this.#content;
    let text = "";
    for await (const chunk of this.#content) text += chunk;
    return text;
  }
}

async function* once(text: string): AsyncIterable<string> {
  yield text;
}

export const json = (body: Json, status = 200): Reply =>
  new Reply(status, { "content-type": "application/json" }, `${JSON.stringify(body)}\n`);

export const empty = (status = 200): Reply => new Reply(status, {}, "");

const STATUS: Partial<Record<Reason, number>> = {
  unknown_session: 404,
  unknown_run: 404,
  run_conflict: 409,
  by_shutdown: 409,
  by_client: 409,
  session_busy: 409,
  queue_full: 429,
  usage: 400,
  no_prompt: 400,
  invalid_config: 400,
  unknown_model: 400,
  auth_missing: 400,
};

export const refusal = (what: RunFailure, status = STATUS[what.reason] ?? 500): Reply =>
  json(encodeErrorBody(what), status);
