import { NO_WORDS, type Command } from "./command.ts";
import { JSON_FLAG, type FlagTable } from "./flags.ts";

const SOURCES_FLAG = {
  sources: { type: "boolean", describe: "Tell file, line and column of each value as well" },
} as const satisfies FlagTable;

/** `crush config …` */
export const CONFIG_COMMANDS: readonly Command[] = [
  {
    name: "config path",
    aliases: [],
    summary: "List the files looked for, the strongest last, and the data directory",
    flags: JSON_FLAG,
    words: NO_WORDS,
    examples: [["crush config path", "also when one of them is broken"]],
    perform: async (_words, flags) =>
      await (await import("./config-command.ts")).configPathCommand(flags),
  },
  {
    name: "config show",
    aliases: [],
    summary: "Print the merged configuration, secrets masked",
    flags: SOURCES_FLAG,
    words: NO_WORDS,
    examples: [["crush config show --sources", "and where each value comes from"]],
    perform: async (_words, flags) =>
      await (await import("./config-command.ts")).configShowCommand(flags),
  },
  {
    name: "config check",
    aliases: [],
    summary: "Tell every mistake with its place and remedy; exit 2 if there is one",
    flags: JSON_FLAG,
    words: NO_WORDS,
    examples: [["crush config check -c ../project", "before a pipeline relies on it"]],
    perform: async (_words, flags) =>
      await (await import("./config-command.ts")).configCheckCommand(flags),
  },
  {
    name: "config schema",
    aliases: [],
    summary: "Print the JSON Schema of crush.json, for editors",
    flags: {},
    words: NO_WORDS,
    examples: [["crush config schema > crush.schema.json", '"$schema" in crush.json names it']],
    perform: async () => await (await import("./config-command.ts")).configSchemaCommand(),
  },
];
