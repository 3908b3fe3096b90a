import { CATALOGUE } from "../../src/config/catalogue.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { exitRows } from "../../src/cli/exit-table.ts";
import { COMMON_FLAGS, SELF_FLAGS, type Flag, type FlagTable } from "../../src/cli/flags.ts";
import { shownName } from "../../src/cli/help.ts";
import { RUN_FLAG_GROUPS } from "../../src/cli/run-flags.ts";

/** `crush.1`, made from the tables of commands, flags and endings. */
export function manPage(version: string): string {
  return [
    `.TH CRUSH 1 "" ${quoted(`crush-run ${version}`)} "User Commands"`,
    ".nh", // a name cut in two cannot be copied
    ".ad l",
    section("NAME"),
    text("crush - run one AI agent prompt with nobody watching"),
    section("SYNOPSIS"),
    ...SYNOPSIS.flatMap((line) => [".B crush", text(line), ".br"]).slice(0, -1),
    section("DESCRIPTION"),
    ...DESCRIPTION.flatMap((paragraph) => [".PP", text(paragraph)]),
    section("COMMANDS"),
    ...COMMANDS.flatMap((command) => {
      const { name, aliases, summary, words, flags } = command;
      const also = aliases.length === 0 ? "" : ` Also: ${aliases.join(", ")}.`;
      const own = name === "run" ? [] : Object.entries<Flag>(flags);
      return [
        ...item(`crush ${name} ${words.shown}`.trim(), `${summary}.${also}`),
        ...(own.length === 0 ? [] : [".RS", ...own.flatMap(flagItem), ".RE"]),
      ];
    }),
    section("OPTIONS"),
    ...subsection("Of every command", { ...COMMON_FLAGS, ...SELF_FLAGS }),
    ...Object.entries(RUN_FLAG_GROUPS).flatMap(([title, flags]) =>
      subsection(`Of crush run: ${title.toLowerCase()}`, flags),
    ),
    section("EXIT STATUS"),
    text("The reason stands in parentheses on the error: line of standard error."),
    ...exitRows().flatMap(({ exit, status, reason, retryable, remedy }) => {
      const again = retryable ? " The same command may be tried again." : "";
      return item(
        `${exit} (${reason})`,
        `${status}${remedy === null ? "" : `: ${remedy}`}.${again}`,
      );
    }),
    section("ENVIRONMENT"),
    text("A flag on the command line wins over its variable."),
    ...variables().flatMap(([name, what]) => item(name, what)),
    section("FILES"),
    ...FILES.flatMap(([name, what]) => item(name, what)),
    section("EXAMPLES"),
    ...COMMANDS.flatMap(({ examples }) => examples).flatMap(([line, why]) => [
      ".PP",
      text(`${why}:`),
      ".PP",
      ".nf",
      ".RS",
      text(line),
      ".RE",
      ".fi",
    ]),
    "",
  ].join("\n");
}

const SYNOPSIS = ["run [flags] [prompt..]", "command [flags] [words]", "help [command]"];

const DESCRIPTION = [
  "crush run posts one prompt to an agent, which calls a language model and tools until it is done, and prints the answer. Nobody has to be there: nothing asks, every wait has a bound, and the exit status tells what happened.",
  "Exit status 0 means that the run completed and that all of its output was written. Every other ending has its own status and one error: line with the reason and what helps.",
  "Standard output carries the answer and nothing else. What is piped in comes before the words of the prompt.",
];

const FILES: readonly (readonly [string, string])[] = [
  ["/etc/crush/crush.json", "Configuration of the machine."],
  ["~/.config/crush/crush.json", "Your configuration. crush config path lists every place."],
  ["crush.json, .crush.json", "Configuration of a project, from its root down."],
  [".crush/", "Sessions and runs of a directory, as --data-dir names it."],
];

/** The twins of flags, then what is no flag. */
function variables(): readonly (readonly [string, string])[] {
  const twins = new Map<string, string>();
  for (const table of [COMMON_FLAGS, ...COMMANDS.map(({ flags }) => flags)])
    for (const [name, { twin }] of Object.entries<Flag>(table))
      if (twin !== undefined) twins.set(twin, `The same as --${name}.`);
  return [
    ...[...twins].sort(([a], [b]) => (a < b ? -1 : 1)),
    ["CRUSH_RUN_STORE_LIMIT", "Largest size of the store, such as 100m."],
    ["CRUSH_GLOBAL_CONFIG, CRUSH_GLOBAL_DATA", "Directories of your own configuration."],
    ...CATALOGUE.map(({ name, keyNames }) => [keyNames.join(", "), `Key of ${name}.`] as const),
    ["OLLAMA_HOST", "Where Ollama listens."],
    ["HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY", "Proxies of requests."],
    ["NODE_EXTRA_CA_CERTS, SSL_CERT_FILE", "Certificates to trust on top of the usual ones."],
    ["NO_COLOR, FORCE_COLOR, TERM, CI", "How standard error looks."],
  ];
}

const subsection = (title: string, flags: FlagTable): readonly string[] => [
  `.SS ${quoted(title)}`,
  ...Object.entries<Flag>(flags).flatMap(flagItem),
];

function flagItem([name, flag]: readonly [string, Flag]): readonly string[] {
  const short = typeof flag.alias === "string" ? `-${flag.alias}, ` : "";
  const twin = flag.twin === undefined ? "" : ` (${flag.twin})`;
  return item(`${short}--${shownName(name, flag)}`, `${flag.describe}.${twin}`);
}

const section = (title: string): string => `.SH ${quoted(title)}`;

const item = (term: string, what: string): readonly string[] => [".TP", bold(term), text(what)];

/** A line of its own in which nothing is a request: what begins with a dot or quote is kept from being one. */
const text = (line: string): string => `${/^[.']/.test(line) ? "\\&" : ""}${escaped(line)}`;

const bold = (line: string): string => `\\fB${escaped(line)}\\fR`;

/** An argument of a request; a quote in it is doubled. */
const quoted = (argument: string): string => `"${escaped(argument).replaceAll('"', '""')}"`;

/** Backslashes and hyphens as they are typed, not as they are typeset; what is not ASCII by its code. */
export const escaped = (line: string): string =>
  line
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/[^\t\x20-\x7e]/gu, (char) => {
      const code = char.codePointAt(0) ?? 0;
      return `\\[u${code.toString(16).toUpperCase().padStart(4, "0")}]`;
    });
