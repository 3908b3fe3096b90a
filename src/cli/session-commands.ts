import { NO_WORDS, type Command, type Words } from "./command.ts";
import type { Flags } from "./flag-values.ts";
import type { FlagTable } from "./flags.ts";

const JSON_FLAG = {
  json: { type: "boolean", describe: "One JSON document on one line" },
} as const satisfies FlagTable;

const PRUNE_FLAGS = {
  "older-than": {
    type: "string",
    nargs: 1,
    takes: "TIME",
    describe: "Those not changed for so long: 30d, 12w, 36h",
  },
  keep: {
    type: "string",
    nargs: 1,
    takes: "N",
    describe: "Keep this many of the last changed, however old",
  },
  "dry-run": { type: "boolean", describe: "Tell what would go; delete nothing" },
  ...JSON_FLAG,
} as const satisfies FlagTable;

const ID: Words = {
  shown: "<id>",
  describe: "As crush session list shows it, whole or the beginning of it",
  least: 1,
  most: 1,
  missing: ["the id of a session", "crush session list shows them"],
};
const ID_AND_TITLE: Words = {
  ...ID,
  shown: "<id> <title..>",
  least: 2,
  most: Infinity,
  missing: ["the id of a session and its new title", "crush session list shows the ids"],
};

const EXPORT_FLAGS = {
  format: {
    type: "string",
    nargs: 1,
    takes: "FORMAT",
    values: ["markdown", "html"],
    describe: "markdown or html (as the name of the file says, else markdown)",
  },
  "output-file": {
    alias: "o",
    type: "string",
    nargs: 1,
    takes: "FILE",
    describe: "Write to this file, in one step, instead of standard output",
  },
} as const satisfies FlagTable;

type Perform = (words: readonly string[], flags: Flags) => Promise<number>;

const entry = (
  name: string,
  summary: string,
  perform: Perform,
  more: Partial<Command> = {},
): Command => ({
  name: `session ${name}`,
  aliases: [],
  summary,
  flags: JSON_FLAG,
  words: NO_WORDS,
  examples: [],
  perform,
  ...more,
});

const looks = async () => await import("./session-show-command.ts");
const changes = async () => await import("./session-change-command.ts");

/** The group `crush session`: conversations as things. protocol.md section 9. */
export const SESSION_COMMANDS: readonly Command[] = [
  entry(
    "list",
    "List the sessions of this directory, the last changed first",
    async (_, flags) => await (await import("./session-list-command.ts")).listSessions(flags),
    {
      aliases: ["ls"],
      examples: [["crush session list --json | jq -r '.[0].uuid'", "the id of the last one"]],
    },
  ),
  entry(
    "show",
    "Show a session with its messages",
    async ([id = ""], flags) => await (await looks()).showSession(id, flags),
    { words: ID, examples: [["crush session show 703e28f", "as the list names it"]] },
  ),
  entry(
    "last",
    "Show the session that was changed last",
    async (_, flags) => await (await looks()).showLastSession(flags),
    { examples: [["crush session last", "what was said last"]] },
  ),
  entry(
    "delete",
    "Delete a session with all that belongs to it",
    async ([id = ""], flags) => await (await changes()).deleteSession(id, flags),
    { aliases: ["rm"], words: ID, examples: [["crush session delete 703e28f", "asks nobody"]] },
  ),
  entry(
    "rename",
    "Give a session another title",
    async ([id = "", ...title], flags) => await (await changes()).renameSession(id, title, flags),
    {
      words: ID_AND_TITLE,
      examples: [["crush session rename 703e28f The bug in the parser", "no quotes needed"]],
    },
  ),
  entry(
    "prune",
    "Delete old sessions",
    async (_, flags) => await (await import("./session-prune-command.ts")).pruneSessions(flags),
    {
      flags: PRUNE_FLAGS,
      examples: [["crush session prune --older-than 30d --keep 20 --dry-run", "what would go"]],
    },
  ),
  entry(
    "export",
    "Write a session as Markdown, or as one HTML page",
    async ([id = ""], flags) =>
      await (await import("./session-export-command.ts")).exportSession(id, flags),
    {
      flags: EXPORT_FLAGS,
      words: ID,
      examples: [
        ["crush session export 703e28f -o session.html", "a page that needs nothing else"],
      ],
    },
  ),
];
