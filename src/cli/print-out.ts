import { ENDINGS } from "../protocol/ending.ts";
import { printError } from "./error-line.ts";
import { dieOf } from "./signals.ts";
import { takeStdout } from "./stdout.ts";

/** Prints the whole output of a command that is no run, and resolves with its exit status: not 0 unless it arrived. */
export async function printOut(text: string): Promise<number> {
  const stdout = takeStdout({ raw: false }, () => {});
  await stdout.write(text);
  const lost = stdout.failed();
  if (lost === null) return 0;
  if (lost.reason === "reader_left") dieOf("SIGPIPE");
  else await printError(lost.failure);
  return ENDINGS[lost.reason].exitCode;
}
