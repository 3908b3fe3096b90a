import yargs, { type Argv } from "yargs";
import { RunFailed } from "../protocol/ending.ts";
import { LONGEST_TIMER_MS, parseDuration } from "../shared/duration.ts";
import { COMMON_FLAGS, RUN_FLAGS, SELF_FLAGS, type Flag } from "./flags.ts";
import { booleanOf, writeOut, type Tokens } from "./tokens.ts";
import { usage } from "./usage.ts";

/** What was asked for. */
export type CommandLine =
  | { readonly command: "run"; readonly words: readonly string[]; readonly flags: Flags }
  | { readonly command: "models"; readonly filter: string | null; readonly flags: Flags }
  | { readonly command: "show"; readonly runId: string; readonly flags: Flags }
  | { readonly command: "help"; readonly text: string }
  | { readonly command: "version" };

type Env = Readonly<Record<string, string | undefined>>;

/** Reads a command line. Throws `RunFailed` with reason `usage` that names the flag and the remedy. */
export async function parseCommandLine(argv: readonly string[], env: Env): Promise<CommandLine> {
  const { tokens, restore } = writeOut(argv, { ...COMMON_FLAGS, ...RUN_FLAGS, ...SELF_FLAGS });
  let chosen: CommandLine | null = null;
  const parser = commands(
    (line) => {
      chosen = line;
    },
    { tokens, restore },
    env,
  );
  if (!tokens.includes("--help=true")) keepHelpUnbuilt(parser);
  const parsed = parser.parseSync([...tokens]);
  if (parsed["help"] === true) return { command: "help", text: await parser.getHelp() };
  if (parsed["version"] === true) return { command: "version" };
  if (chosen !== null) return chosen;
  throw usage("no command was given", 'try: crush run "…", or see: crush --help');
}

function commands(
  choose: (line: CommandLine) => void,
  { tokens, restore }: Tokens,
  env: Env,
): Argv {
  const flagsOf = (parsed: Parsed, table: Readonly<Record<string, Flag>>): Flags =>
    new Flags(parsed, { ...COMMON_FLAGS, ...table }, restore, env);
  const words = (value: unknown): string[] =>
    (Array.isArray(value) ? value : value === undefined ? [] : [value]).map((word) =>
      restore(String(word)),
    );
  return yargs()
    .scriptName("crush")
    .usage("$0 <command>\n\nRuns one AI agent prompt with nobody watching.")
    .parserConfiguration({
      "parse-numbers": false,
      "parse-positional-numbers": false,
      "populate--": true,
      "dot-notation": false,
      "camel-case-expansion": false,
    })
    .help(false)
    .version(false)
    .options({ ...COMMON_FLAGS, ...SELF_FLAGS })
    .command(
      ["run [prompt..]", "r"],
      "Run one prompt and print the answer",
      (run) =>
        run
          .positional("prompt", { type: "string", array: true, describe: "What to do" })
          .options(RUN_FLAGS)
          .example('$0 run "What does this project do?"', "needs a key, or a running Ollama")
          .example('$0 run -m demo/offline "What is here?"', "needs neither")
          .example('git diff | $0 run "Review this"', "standard input comes before the words"),
      (parsed) =>
        choose({
          command: "run",
          words: [...words(parsed["prompt"]), ...words(parsed["--"])],
          flags: flagsOf(parsed, RUN_FLAGS),
        }),
    )
    .command(
      "models [filter]",
      "List the models that can be used, and why the others cannot",
      (models) => models.positional("filter", { type: "string" }),
      (parsed) => {
        const [filter] = words(parsed["filter"]);
        choose({ command: "models", filter: filter ?? null, flags: flagsOf(parsed, {}) });
      },
    )
    .command(
      "show <run-id>",
      "Tell what became of a run",
      (show) => show.positional("run-id", { type: "string" }),
      (parsed) => {
        const [runId] = words(parsed["run-id"]);
        choose({ command: "show", runId: runId ?? "", flags: flagsOf(parsed, {}) });
      },
    )
    .strict()
    .exitProcess(false)
    .showHelpOnFail(false)
    .wrap(100)
    .fail((message, error) => {
      if (error instanceof RunFailed) throw error;
      throw refused((message ?? error?.message ?? "").replace(/\s+/g, " "), tokens, restore);
    });
}

/**
 * yargs builds the whole help text before each command (5 ms of a cold start), in case the command fails in a way that shows it: ours do
 * not. Semi-private: test/cli/parse.test.ts notices when it moves.
 */
function keepHelpUnbuilt(parser: Argv): void {
  const internal = parser as Argv & {
    getInternalMethods(): { getUsageInstance(): { cacheHelpMessage: () => void } };
  };
  internal.getInternalMethods().getUsageInstance().cacheHelpMessage = () => {};
}

/** What yargs says, in our words: the flag named as it is typed, and a remedy. */
function refused(
  message: string,
  tokens: readonly string[],
  restore: (word: string) => string,
): RunFailed {
  const unknown = /^Unknown arguments?: (.*)$/.exec(message)?.[1]?.split(", ") ?? [];
  const [word] = unknown;
  if (word !== undefined && tokens.includes(word))
    return usage(
      `unknown command ${JSON.stringify(restore(word))}`,
      'see: crush --help; or did you mean: crush run "…"',
    );
  if (word !== undefined) {
    const names = unknown.map((name) => `${name.length === 1 ? "-" : "--"}${name}`);
    const remedy = "see: crush run --help (put -- before a prompt that begins with a dash)";
    return usage(`unknown flag ${names.join(", ")}`, remedy);
  }
  const valueless = /^Not enough arguments following: (.*)$/.exec(message)?.[1];
  if (valueless !== undefined)
    return usage(
      `--${valueless} needs a value`,
      `give it one: --${valueless}=VALUE (with = when the value begins with a dash)`,
    );
  if (message.startsWith("Not enough non-option arguments"))
    return usage("crush show needs the id of a run", "crush run -v tells the id of its run");
  return usage(
    message.replace(/^[A-Z]/, (letter) => letter.toLowerCase()),
    "see: crush --help",
  );
}

type Parsed = Readonly<Record<string, unknown>>;

/** The flags of one command with their twins; every accessor throws `usage` for a value that makes no sense. */
export class Flags {
  readonly #parsed: Parsed;
  readonly #table: Readonly<Record<string, Flag>>;
  readonly #restore: (word: string) => string;
  readonly #env: Env;

  constructor(
    parsed: Parsed,
    table: Readonly<Record<string, Flag>>,
    restore: (word: string) => string,
    env: Env,
  ) {
    this.#parsed = parsed;
    this.#table = table;
    this.#restore = restore;
    this.#env = env;
  }

  text(name: string): string | null {
    const given = this.#parsed[name];
    if (Array.isArray(given))
      throw usage(`--${name} was given ${given.length} times`, `give --${name} once`);
    if (typeof given === "string") return this.#restore(given);
    return this.#twin(name);
  }

  /** Null when nothing was said. */
  flag(name: string): boolean | null {
    const given = this.#parsed[name];
    if (Array.isArray(given)) return given.at(-1) === true;
    if (typeof given === "boolean") return given;
    const twin = this.#twin(name);
    if (twin === null) return null;
    const on = booleanOf(twin);
    if (on !== null) return on;
    const { twin: variable } = this.#table[name] ?? {};
    throw usage(`${variable} is ${JSON.stringify(twin)}`, "set it to true or false");
  }

  /** Milliseconds; null when nothing was said. */
  duration(name: string): number | null {
    const text = this.text(name);
    if (text === null) return null;
    const ms = parseDuration(text);
    if (ms !== null) return Math.min(ms, LONGEST_TIMER_MS);
    throw usage(
      `--${name} is ${JSON.stringify(text)}, which is no duration`,
      "use seconds, or 250ms, 30s, 5m, 1h30m",
    );
  }

  count(name: string): number | null {
    const text = this.text(name);
    if (text === null) return null;
    if (/^\d{1,9}$/.test(text)) return Number(text);
    throw usage(
      `--${name} is ${JSON.stringify(text)}, which is no whole number`,
      "use 0 or a positive whole number",
    );
  }

  #twin(name: string): string | null {
    const variable = this.#table[name]?.twin;
    const value = variable === undefined ? undefined : this.#env[variable];
    return value === undefined || value === "" ? null : value;
  }
}
