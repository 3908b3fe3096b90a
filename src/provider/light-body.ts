import { ReadableStream, type ReadableWritablePair } from "node:stream/web";
import { deferred, type Deferred } from "../shared/deferred.ts";

type Chunk =
  | { readonly done: false; readonly value: Uint8Array }
  | { readonly done: true; readonly value: undefined };
const END: Chunk = { done: true, value: undefined };

/** What a body wants to be told by its reader. */
export interface BodySource {
  /** The reader has caught up. */
  resume(): void;
  /** Nobody reads any further. */
  cancel(): void;
}

/**
 * The part of a `ReadableStream` that the AI SDK uses of a response body: one reader. A real one costs each chunk a stage more, and the
 * first release of its lock a new V8 context (2 ms between a short answer and the end of the process). Chunks wait here without bound;
 * `waiting` tells the writer when to pause.
 */
export class LightBody {
  readonly #source: BodySource;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #asked: Deferred<Chunk> | null = null;

  constructor(source: BodySource) {
    this.#source = source;
  }

  /** Bytes that nobody has read yet. */
  get waiting(): number {
    return this.#bytes;
  }

  push(bytes: Uint8Array): void {
    if (this.#asked !== null) {
      this.#asked.resolve({ done: false, value: bytes });
      this.#asked = null;
      return;
    }
    this.#chunks.push(bytes);
    this.#bytes += bytes.byteLength;
  }

  end(): void {
    this.#ended = true;
    this.#asked?.resolve(END);
    this.#asked = null;
  }

  getReader() {
    return {
      read: (): Promise<Chunk> => this.#read(),
      releaseLock: (): void => {}, // there is only ever one reader
      cancel: (): Promise<void> => this.cancel(),
    };
  }

  async cancel(): Promise<void> {
    this.#chunks.length = 0;
    this.#bytes = 0;
    this.end();
    this.#source.cancel();
  }

  /** For an SDK that does not read by itself. */
  pipeThrough<T>(pair: ReadableWritablePair<T, Uint8Array>): ReadableStream<T> {
    const stream = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const { done, value } = await this.#read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => this.cancel(),
    });
    return stream.pipeThrough(pair);
  }

  #read(): Promise<Chunk> {
    const value = this.#chunks.shift();
    if (value !== undefined) {
      this.#bytes -= value.byteLength;
      if (this.#chunks.length === 0) this.#source.resume();
      return Promise.resolve({ done: false, value });
    }
    if (this.#ended) return Promise.resolve(END);
    this.#asked ??= deferred<Chunk>();
    this.#source.resume();
    return this.#asked.promise;
  }
}
