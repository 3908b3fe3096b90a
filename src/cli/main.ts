import { ENDINGS } from "../protocol/ending.ts";
import { failureOf } from "../protocol/failure-of.ts";
import { parseCommandLine, type CommandLine } from "./parse.ts";
import { printError } from "./error-line.ts";
import { leaveSoon } from "./leave-soon.ts";
import { writeWithoutBlocking } from "./terminal-writes.ts";
import { VERSION } from "./version.ts";

/**
 * The program. `argv` is without interpreter and script. Sets `process.exitCode` and lets the process end by itself, so that what was
 * written arrives; a signal ends it as a signal does.
 */
export async function main(argv: readonly string[]): Promise<void> {
  writeWithoutBlocking(process.stderr);
  process.stderr.on("error", () => {}); // nobody reads the news: that is no reason to stop
  let line: CommandLine | null = null;
  try {
    line = parseCommandLine(argv, process.env);
    process.exitCode = await perform(line);
  } catch (error) {
    const what = failureOf(error);
    if (line === null && mayWantJson(argv))
      await (await import("./json-answer.ts")).refuseAsAsked(argv, process.env, what);
    await printError(what);
    if (what.reason === "internal" && error instanceof Error && wantsDebug(line))
      process.stderr.write(`${error.stack ?? ""}\n`);
    process.exitCode = ENDINGS[what.reason].exitCode;
  }
  leaveSoon(process.exitCode);
}

async function perform(line: CommandLine): Promise<number> {
  switch (line.type) {
    case "version":
      return await (await import("./print-out.ts")).printOut(`crush-run ${VERSION}\n`);
    case "help":
      return await (await import("./help-command.ts")).helpCommand(line.of, line.part);
    case "command":
      return await line.command.perform(line.words, line.flags);
  }
}

const wantsDebug = (line: CommandLine | null): boolean =>
  line?.type === "command" && line.flags.flag("debug") === true;

/** Asked only about a line that makes no sense. */
const mayWantJson = (argv: readonly string[]): boolean =>
  argv.some((word) => word.startsWith("--output")) || "CRUSH_RUN_OUTPUT" in process.env;
