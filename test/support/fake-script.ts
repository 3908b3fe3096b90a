/** What the fake provider does with one request. All fields are optional: `{}` is an empty, well-formed answer. */
export interface FakeStep {
  // The answer.
  readonly text?: string;
  /** Number of text deltas (at most one per character); default 3. */
  readonly chunks?: number;
  readonly reasoning?: string;
  readonly toolCalls?: readonly FakeToolCall[];
  readonly usage?: FakeUsage;
  /** Default: `tool_calls` when there are any, else `stop`. Each family says it in its own word. */
  readonly finish?: "stop" | "length" | "content_filter" | "tool_calls";

  // How it is sent.
  /** Wait before the response headers. */
  readonly firstByteDelayMs?: number;
  /** Wait before each content delta. */
  readonly delayMs?: number;
  /** Whatever comes after `after` content deltas, a fault or the finish too, is held back until the promise settles. */
  readonly pause?: { readonly after: number; readonly until: Promise<unknown> };
  /** Packets of exactly n bytes, wherever characters and lines end. */
  readonly splitBytes?: number;
  /** Lines end in CRLF. */
  readonly crlf?: boolean;
  /** Comment lines and stray blank lines between the frames. */
  readonly comments?: boolean;
  /** One packet per frame (default), or packets of about 64 KiB. Both wait for a slow reader. */
  readonly write?: "perDelta" | "64k";

  // Faults in the stream. `n` counts content deltas: text, reasoning and tool input.
  /** A TCP reset after n content deltas. */
  readonly resetAfter?: number;
  /** The connection is closed (FIN) after n content deltas, inside the chunked body. */
  readonly cutAfter?: number;
  /** Nothing more after n content deltas; the socket stays open. */
  readonly silenceAfter?: number;
  /** All content, then a clean end of the body without any finish marker. */
  readonly endWithoutFinish?: boolean;
  /** All content, then half a line and a clean end of the body. */
  readonly truncatedLine?: boolean;
  /** All content, then a frame that is not JSON, then the finish markers. */
  readonly brokenJson?: boolean;
  /** All content, then the error event of the family and the end of the body. A string is its message. */
  readonly errorEvent?: boolean | string;
  /** The complete answer with its finish markers, but the body never ends. */
  readonly neverClose?: boolean;

  // Instead of a stream.
  /** An HTTP error (or any status); without `body` the error document of the family. */
  readonly status?: number;
  /** Added to the response headers of whatever is answered. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | object;
  readonly resetBeforeFirstByte?: boolean;
  /** 200 with an HTML page. */
  readonly html200?: boolean;
  /** 200 with an event stream that ends without a byte. */
  readonly emptyBody?: boolean;
  /** The request is read and never answered. */
  readonly neverHeaders?: boolean;
}

export interface FakeToolCall {
  readonly id: string;
  readonly name: string;
  /** An object, or the text as the model wrote it (broken JSON, for example). */
  readonly input: object | string;
}

/** Token counts; `input` includes `cached`, `output` includes `reasoning`. */
export interface FakeUsage {
  readonly input: number;
  readonly cached?: number;
  readonly output: number;
  readonly reasoning?: number;
}

/** One event of a stream, before it becomes bytes. */
export interface FakeFrame {
  /** `delta` carries content; `finish` belongs to the finish marker; the rest is structure. */
  readonly kind: "structure" | "delta" | "finish";
  readonly event?: string;
  readonly data: string;
}

/** How one API family speaks. */
export interface FakeWire {
  /** Every event of a whole answer. `body` is the decoded request. */
  frames(step: FakeStep, model: string, body: unknown): Iterable<FakeFrame>;
  /** The event with which a provider breaks off a running stream. */
  errorFrame(message: string): FakeFrame;
  /** The document of an HTTP error. */
  errorBody(status: number, message: string): object;
}

export const DEFAULT_USAGE: FakeUsage = { input: 11, output: 7 };

/** Cuts text into at most n pieces of about equal length, never inside a surrogate pair. */
export function pieces(text: string, n: number): string[] {
  const size = Math.max(1, Math.ceil(text.length / Math.max(1, n)));
  const cut: string[] = [];
  for (let start = 0; start < text.length;) {
    let end = Math.min(text.length, start + size);
    if (/[\uD800-\uDBFF]/.test(text.charAt(end - 1))) end = Math.min(text.length, end + 1);
    cut.push(text.slice(start, end));
    start = end;
  }
  return cut;
}

export const textPieces = (step: FakeStep): string[] => pieces(step.text ?? "", step.chunks ?? 3);
export const reasoningPieces = (step: FakeStep): string[] => pieces(step.reasoning ?? "", 2);

export const inputText = (call: FakeToolCall): string =>
  typeof call.input === "string" ? call.input : JSON.stringify(call.input);

export const finishOf = (step: FakeStep): NonNullable<FakeStep["finish"]> =>
  step.finish ?? ((step.toolCalls ?? []).length > 0 ? "tool_calls" : "stop");
