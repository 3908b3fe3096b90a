/**
 * The result of `waiting`. Once the signal fires it has `graceMs` left to obey; then it is left behind: a rejection with
 * `signal.reason`, and its late end is nobody's. Leaves no timer and no listener.
 */
export async function orLeftBehind<T>(
  waiting: Promise<T>,
  graceMs: number,
  signal: AbortSignal,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => {};
  const givenUp = new Promise<never>((_, reject) => {
    onAbort = () => {
      timer = setTimeout(() => reject(signal.reason as Error), graceMs);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([waiting, givenUp]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
