import yargs, { type Argv } from "yargs";
import type { Command } from "./command.ts";
import { COMMANDS, commandOf, groupOf } from "./commands.ts";
import { longExitTable, shortExitTable } from "./exit-table.ts";
import { COMMON_FLAGS, SELF_FLAGS, type Flag, type FlagTable } from "./flags.ts";
import { noCommand, type HelpPart } from "./parse.ts";
import { RUN_FLAG_GROUPS, USUAL_RUN_FLAGS } from "./run-flags.ts";

const COMMON: FlagTable = { ...COMMON_FLAGS, ...SELF_FLAGS };
const { help: HELP, version: _, ...MORE_HELP } = SELF_FLAGS;
const MOST: FlagTable = { ...COMMON_FLAGS, help: HELP };
const FEW: FlagTable = { cwd: COMMON_FLAGS.cwd, help: HELP, ...MORE_HELP };

/** Columns. */
const WIDTH = 100;

/** The help on the program, or on the command or group that these words name. Throws `usage` for others. */
export async function helpText(words: readonly string[], part: HelpPart): Promise<string> {
  if (part === "help-exit") return [...EXIT_HEAD, ...longExitTable()].join("\n");
  const { command } = commandOf(words) ?? {};
  if (command !== undefined) return await commandHelp(command, part === "help-all");
  const [word] = words;
  if (word === undefined) return await programHelp();
  const group = groupOf(word);
  if (group.length === 0 || words.length > 1) throw noCommand(words);
  return await groupHelp(word, group);
}

const EXIT_HEAD = [
  "exit     reason                status     and below, what helps against it",
  "",
];

const layout = (usage: string): Argv =>
  yargs([])
    .scriptName("crush")
    .locale("en")
    .usage(usage)
    .help(false)
    .version(false)
    .exitProcess(false)
    .wrap(WIDTH);

async function programHelp(): Promise<string> {
  const help = layout("crush <command>\n\nRuns one AI agent prompt with nobody watching.");
  const heads = new Set(COMMANDS.map(({ name }) => name.split(" ")[0] ?? name));
  for (const head of heads) {
    const group = groupOf(head);
    if (group.length > 0) help.command(`${head} <command>`, tailsOf(group).join(", "));
    for (const command of COMMANDS)
      if (command.name === head) help.command(typed(command), command.summary);
  }
  addFlags(help, "Flags of every command:", COMMON);
  for (const [line, why] of commandOf(["run"])?.command.examples ?? []) help.example(line, why);
  help.epilogue("crush COMMAND --help tells more of one.");
  return await help.getHelp();
}

async function groupHelp(head: string, group: readonly Command[]): Promise<string> {
  const help = layout(`crush ${head} <command>`);
  for (const command of group) help.command(typed(command), command.summary);
  for (const { examples } of group)
    for (const [line, why] of examples.slice(0, 1)) help.example(line, why);
  help.epilogue(`crush ${head} COMMAND --help tells more of one.`);
  return await help.getHelp();
}

async function commandHelp(command: Command, all: boolean): Promise<string> {
  const { name, aliases, summary, words, flags, examples } = command;
  const also = aliases.length === 0 ? "" : ` (also: ${aliases.join(", ")})`;
  const help = layout(`crush ${typed(command)} [flags]${also}\n\n${summary}.`);
  // Its flags need the lines, and everybody knows what a prompt is.
  if (words.shown !== "" && (name !== "run" || all)) {
    const shown = words.shown.replace(/^[[<]|(\.\.)?[\]>]$/g, "");
    help.positional(shown, { describe: words.describe });
  }
  if (name !== "run") addFlags(help, "Flags:", flags);
  else if (all)
    for (const [title, group] of Object.entries(RUN_FLAG_GROUPS))
      addFlags(help, `${title}:`, group, true);
  else addFlags(help, "Flags:", { ...usual(flags), ...FEW });
  if (name !== "run" || all) addFlags(help, "Flags of every command:", all ? COMMON : MOST, all);
  for (const [line, why] of examples.slice(0, all ? undefined : 3)) help.example(line, why);
  if (name === "run" && !all)
    help.epilogue(
      ["Exit status, and the reason on the error: line:", ...shortExitTable(WIDTH)].join("\n"),
    );
  return await help.getHelp();
}

const usual = (flags: FlagTable): FlagTable =>
  Object.fromEntries(
    USUAL_RUN_FLAGS.flatMap((name) => {
      const flag = flags[name];
      return flag === undefined ? [] : [[name, flag] as const];
    }),
  );

/** `run [prompt..]` */
const typed = ({ name, words }: Command): string => `${name} ${words.shown}`.trim();

/** `session list` → `list` */
const tailsOf = (group: readonly Command[]): readonly string[] =>
  group.map(({ name }) => name.slice(name.indexOf(" ") + 1));

/** The layout takes any text for a name: here with what stands before and after it. */
function addFlags(help: Argv, title: string, flags: FlagTable, withTwins = false): void {
  const shown = Object.entries(flags).map(([name, flag]) => {
    const twin = withTwins && flag.twin !== undefined ? ` [${flag.twin}]` : "";
    const alias = flag.alias === undefined ? {} : { alias: flag.alias };
    help.option(shownName(name, flag), { ...alias, describe: `${flag.describe}${twin}` });
    return shownName(name, flag);
  });
  help.group(shown, title);
}

/** `model MODEL`, `[no-]stream`, `quiet` */
export function shownName(name: string, { type, describe, takes, many }: Flag): string {
  if (type === "string") return `${name} ${takes ?? "VALUE"}${many === true ? " .." : ""}`;
  return describe.includes(`--no-${name}`) ? `[no-]${name}` : name;
}
