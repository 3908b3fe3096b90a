import { orAborted } from "./or-aborted.ts";

interface Flight<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

/**
 * The same work, done once for all who ask while it is being done. Who aborts leaves alone; the work itself is aborted when nobody is
 * left.
 */
export function singleFlight<T>(
  work: (signal: AbortSignal) => Promise<T>,
): (signal: AbortSignal) => Promise<T> {
  let current: Flight<T> | null = null;
  const land = (flight: Flight<T>): void => {
    if (current === flight) current = null;
  };
  const start = (): Flight<T> => {
    const controller = new AbortController();
    const flight = { result: work(controller.signal), controller, waiting: 0 };
    const landed = (): void => land(flight);
    flight.result.then(landed, landed);
    return flight;
  };
  return async (signal) => {
    signal.throwIfAborted();
    const flight = (current ??= start());
    flight.waiting += 1;
    try {
      return await orAborted(flight.result, signal);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) {
        land(flight);
        flight.controller.abort();
      }
    }
  };
}
