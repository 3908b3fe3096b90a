import { RunFailed, type Reason } from "../../src/protocol/ending.ts";

/** The reason with which something is refused; `null` when it is not. Any other throw goes on. */
export function refusalOf(work: () => unknown): Reason | null {
  try {
    work();
    return null;
  } catch (error) {
    if (error instanceof RunFailed) return error.failure.reason;
    throw error;
  }
}

/** The same for something that takes its time. */
export async function refusalOfAsync(work: Promise<unknown>): Promise<Reason | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof RunFailed) return error.failure.reason;
    throw error;
  }
}
