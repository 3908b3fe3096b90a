import yargs, { type Argv } from "yargs";
import type { Command } from "./command.ts";
import { COMMANDS, commandOf } from "./commands.ts";
import { COMMON_FLAGS, SELF_FLAGS } from "./flags.ts";
import { RUN_FLAG_GROUPS } from "./run-flags.ts";

/** The help text of the program, or of the command that these words name. */
export async function helpText(words: readonly string[]): Promise<string> {
  const help = yargs()
    .scriptName("crush")
    .usage("$0 <command>\n\nRuns one AI agent prompt with nobody watching.")
    .help(false)
    .version(false)
    .options({ ...COMMON_FLAGS, ...SELF_FLAGS })
    .exitProcess(false)
    .wrap(100);
  for (const command of COMMANDS) {
    const { name, aliases, summary } = command;
    help.command([`${name} ${optional(command)}`.trim(), ...aliases], summary, (one) =>
      describe(one, command),
    );
  }
  const asked = commandOf(words);
  if (asked !== null) await help.parse(asked.command.name.split(" "));
  return await help.getHelp();
}

function describe(help: Argv, command: Command): Argv {
  const [, name] = /([a-z-]+)/.exec(command.words.shown) ?? [];
  if (name !== undefined)
    help.positional(name, { type: "string", describe: command.words.describe });
  for (const [line, why] of command.examples) help.example(line.replace(/\bcrush\b/, "$0"), why);
  if (command.name === "run")
    for (const [title, flags] of Object.entries(RUN_FLAG_GROUPS))
      help.group(Object.keys(flags), `${title}:`);
  return help.options(command.flags);
}

/** Help is asked for without the words. */
const optional = ({ words }: Command): string => words.shown.replace("<", "[").replace(">", "]");
