/**
 * The stream, with a `detach` that is called once when it ends, is left early, or `signal` fires: whichever is first. The signal counts
 * alone too, since a stream that nobody ever reads does not notice that it is left.
 */
export function whileAttached(
  stream: AsyncIterable<string>,
  detach: () => void,
  signal: AbortSignal,
): AsyncIterable<string> {
  if (signal.aborted) detach();
  else signal.addEventListener("abort", detach, { once: true });
  return read(stream, () => {
    signal.removeEventListener("abort", detach);
    detach();
  });
}

async function* read(stream: AsyncIterable<string>, done: () => void): AsyncIterable<string> {
  try {
    yield* stream;
  } finally {
    done();
  }
}
