import { constants } from "node:os";

const CAUGHT = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
export type CaughtSignal = (typeof CAUGHT)[number];

export interface SignalWatch extends Disposable {
  /** The first one; null before it. */
  received(): CaughtSignal | null;
}

/** Listens for the signals that end a run. `onFirst` cancels it; a second one ends the process at once. */
export function watchSignals(onFirst: (signal: CaughtSignal) => void): SignalWatch {
  let received: CaughtSignal | null = null;
  const listeners = CAUGHT.map((signal) => {
    const listener = (): void => {
      if (received !== null) {
        stop();
        dieOf(signal);
        return;
      }
      received = signal;
      onFirst(signal);
    };
    process.on(signal, listener);
    return [signal, listener] as const;
  });
  const stop = (): void => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  };
  return { received: () => received, [Symbol.dispose]: stop };
}

/** As PID 1, or where the signal is ignored, we survive it: then the shell's rendering of it has to do. */
const SURVIVED_MS = 100;

/** The shell's rendering of a death by it. */
export const statusOfDeath = (signal: CaughtSignal | "SIGPIPE"): number =>
  128 + constants.signals[signal];

/**
 * Ends the process by the signal itself, so that a shell sees a signal death. QUIT would write a core file, which holds keys: it ends
 * with its number instead.
 */
export function dieOf(signal: CaughtSignal | "SIGPIPE"): void {
  const status = statusOfDeath(signal);
  process.exitCode = status;
  if (signal === "SIGQUIT") process.exit(status);
  if (signal === "SIGPIPE") {
    // Node ignores it until a listener has come and gone.
    const nothing = (): void => {};
    process.on("SIGPIPE", nothing).off("SIGPIPE", nothing);
  }
  process.kill(process.pid, signal);
  setTimeout(() => process.exit(status), SURVIVED_MS);
}
