import { failure, RunFailed } from "../protocol/ending.ts";

/** A command line, or a variable of ours, that makes no sense. */
export const usage = (message: string, remedy: string): RunFailed =>
  new RunFailed(failure("usage", message, { remedy }));
