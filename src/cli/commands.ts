import { NO_WORDS, type Command, type Words } from "./command.ts";
import { CONFIG_COMMANDS } from "./config-commands.ts";
import { JSON_FLAG, WAIT_FLAGS, type FlagTable } from "./flags.ts";
import { RUN_FLAGS } from "./run-flags.ts";
import { SESSION_COMMANDS } from "./session-commands.ts";

const RUN_ID: Words = {
  shown: "<run-id>",
  describe: "As crush runs or crush run -v tells it",
  least: 1,
  most: 1,
  missing: ["the id of a run", "crush runs lists them"],
};

const DOCTOR_FLAGS = {
  model: RUN_FLAGS.model,
  online: { type: "boolean", describe: "Ask each usable provider for its list of models" },
  ...JSON_FLAG,
} as const satisfies FlagTable;

/** In the order in which help lists them. */
export const COMMANDS: readonly Command[] = [
  {
    name: "run",
    aliases: ["r"],
    summary: "Run one prompt and print the answer",
    flags: RUN_FLAGS,
    words: { ...NO_WORDS, shown: "[prompt..]", describe: "What to do", most: Infinity },
    examples: [
      ['crush run "What does this project do?"', "needs a key, or a running Ollama"],
      ['crush run -m demo/offline "What is here?"', "needs neither"],
      ['git diff | crush run "Review this"', "standard input comes before the words"],
    ],
    perform: async (words, flags) =>
      await (await import("./run-command.ts")).runCommand(words, flags),
  },
  {
    name: "models",
    aliases: [],
    summary: "List the models that can be used, and why the others cannot",
    flags: {},
    words: { ...NO_WORDS, shown: "[filter]", describe: "Part of a name or provider", most: 1 },
    examples: [["crush models anthropic", "those of one provider"]],
    perform: async ([filter = null], flags) =>
      await (await import("./models-command.ts")).modelsCommand(filter, flags),
  },
  {
    name: "runs",
    aliases: [],
    summary: "List the last runs of this directory",
    flags: {},
    words: NO_WORDS,
    examples: [["crush runs | head -1", "the last one"]],
    perform: async (_words, flags) => await (await import("./runs-command.ts")).runsCommand(flags),
  },
  {
    name: "show",
    aliases: [],
    summary: "Tell what became of a run",
    flags: {},
    words: RUN_ID,
    examples: [["crush show RUN_ID", "status, reason, cost and the answer"]],
    perform: async ([runId = ""], flags) =>
      await (await import("./show-command.ts")).showCommand(runId, flags),
  },
  {
    name: "wait",
    aliases: [],
    summary: "Wait for a run and end with its exit status",
    flags: WAIT_FLAGS,
    words: RUN_ID,
    examples: [["crush wait RUN_ID && echo done", "the status is that of the run"]],
    perform: async ([runId = ""], flags) =>
      await (await import("./wait-command.ts")).waitCommand(runId, flags, false),
  },
  {
    name: "attach",
    aliases: [],
    summary: "Wait for a run, print its answer, end with its status",
    flags: WAIT_FLAGS,
    words: RUN_ID,
    examples: [["crush attach RUN_ID > answer.md", "as if it had been started here"]],
    perform: async ([runId = ""], flags) =>
      await (await import("./wait-command.ts")).waitCommand(runId, flags, true),
  },
  {
    name: "cancel",
    aliases: [],
    summary: "Cancel a run, in whatever process it goes on",
    flags: {},
    words: RUN_ID,
    examples: [["crush cancel RUN_ID", "the run ends with exit status 3"]],
    perform: async ([runId = ""], flags) =>
      await (await import("./cancel-command.ts")).cancelCommand(runId, flags),
  },
  ...SESSION_COMMANDS,
  ...CONFIG_COMMANDS,
  {
    name: "doctor",
    aliases: [],
    summary: "Tell what works here and what does not; exit 0 when a run would work",
    flags: DOCTOR_FLAGS,
    words: NO_WORDS,
    examples: [
      ["crush doctor", "no request leaves this machine"],
      ["crush doctor --online", "each provider is asked for its models, once"],
    ],
    perform: async (_words, flags) =>
      await (await import("./doctor-command.ts")).doctorCommand(flags),
  },
  {
    name: "completion",
    aliases: [],
    summary: "Print the completion script of a shell",
    flags: {},
    words: {
      shown: "<bash|zsh|fish>",
      describe: "The shell",
      least: 1,
      most: 1,
      missing: ["the name of a shell", "it is one of: bash, zsh, fish"],
    },
    examples: [
      ['eval "$(crush completion bash)"', "in ~/.bashrc"],
      ["crush completion zsh > ~/.zfunc/_crush", "in a directory of fpath"],
      ["crush completion fish > ~/.config/fish/completions/crush.fish", "read when needed"],
    ],
    perform: async ([shell = ""]) =>
      await (await import("./completion-command.ts")).completionCommand(shell),
  },
  {
    name: "help",
    aliases: [],
    summary: "Tell how a command is used",
    flags: {},
    words: { ...NO_WORDS, shown: "[command..]", describe: "The command", most: 2 },
    examples: [["crush help config check", "the same as crush config check --help"]],
    perform: async (words) => await (await import("./help-command.ts")).helpCommand(words, "help"),
  },
];

/** First words of groups by their other names; `crush s ls` is `crush session list`. */
const GROUP_ALIASES: ReadonlyMap<string, string> = new Map([
  ["s", "session"],
  ["sessions", "session"],
]);

/** Other names of a group. */
export const groupAliases = (head: string): readonly string[] =>
  [...GROUP_ALIASES].filter(([, name]) => name === head).map(([alias]) => alias);

/** The command that these words begin with, and how many of them are its name. */
export function commandOf(
  words: readonly string[],
): { readonly command: Command; readonly taken: number } | null {
  const [typed = "", second = ""] = words;
  const first = GROUP_ALIASES.get(typed) ?? typed;
  for (const command of COMMANDS) {
    const [head = "", tail = null] = command.name.split(" ");
    if (tail === null && (head === typed || command.aliases.includes(typed)))
      return { command, taken: 1 };
    if (tail !== null && head === first && (tail === second || command.aliases.includes(second)))
      return { command, taken: 2 };
  }
  return null;
}

/** The commands of the group that this word names; none for a word that names none. */
export function groupOf(word: string): readonly Command[] {
  const head = `${GROUP_ALIASES.get(word) ?? word} `;
  return COMMANDS.filter(({ name }) => name.startsWith(head));
}
