/**
 * How client and server meet: a request in plain words and an answer whose body is a sequence of chunks. The
 * global `Response` of Node satisfies `Answer`, and so does the light one of the in-memory transport, which spares a cold start
 * the loading of Node's fetch (15 ms, 10 MiB).
 */
export interface Ask {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** Leaving the iteration early releases the connection. */
  readonly body: AsyncIterable<Uint8Array | string> | null;
  text(): Promise<string>;
}

/** `url` is absolute. Rejects with `signal.reason` when aborted, with a transport error when nobody answers. */
export type Transport = (url: string, ask: Ask) => Promise<Answer>;
