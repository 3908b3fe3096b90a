/** The connection failed, or the answer broke off before it was whole. */
export class TransportFailed extends Error {
  /** The same request may go well another time. */
  readonly retryable: boolean;
  readonly remedy: string | null;
  constructor(
    message: string,
    more: { retryable?: boolean; remedy?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.name = "TransportFailed";
    this.retryable = more.retryable ?? true;
    this.remedy = more.remedy ?? null;
  }
}
