import type { Message } from "../protocol/message.ts";
import { textOf } from "../protocol/message.ts";
import { isJsonObject, type JsonObject } from "../shared/json.ts";

export interface DemoCall {
  readonly name: string;
  readonly input: JsonObject;
}

export interface DemoResult extends DemoCall {
  readonly content: string;
  readonly isError: boolean;
}

/** What the demo model sees of a conversation: the last prompt, and what tools have said since. */
export interface DemoTopic {
  readonly prompt: string;
  readonly earlierPrompts: readonly string[];
  /** Words of the prompt worth looking for, the longest first. */
  readonly words: readonly string[];
  readonly paths: readonly string[];
  readonly smallTalk: boolean;
  /** Model calls since the prompt that asked for tools. */
  readonly rounds: number;
  readonly results: readonly DemoResult[];
}

export function topicOf(messages: readonly Message[]): DemoTopic {
  const prompts = messages.filter((message) => message.role === "user").map(textOf);
  const since = messages.slice(messages.findLastIndex((message) => message.role === "user") + 1);
  const prompt = prompts.at(-1) ?? "";
  const paths = pathsIn(prompt);
  const words = wordsIn(prompt, paths);
  const said = prompt.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
  return {
    prompt,
    earlierPrompts: prompts.slice(0, -1),
    words,
    paths,
    smallTalk: paths.length === 0 && said.every((word) => SMALL_TALK.has(word)),
    rounds: since.filter((message) => message.parts.some((part) => part.type === "tool_call"))
      .length,
    results: resultsIn(since),
  };
}

/** What to ask of the tools next; nothing means: time to answer. Three rounds at most. */
export function nextCalls(topic: DemoTopic, tools: ReadonlySet<string>): readonly DemoCall[] {
  const wanted =
    topic.rounds === 0 ? firstLook(topic) : topic.rounds === 1 ? closerLook(topic) : [];
  return wanted.filter((call) => tools.has(call.name));
}

function firstLook({ smallTalk, paths, words }: DemoTopic): readonly DemoCall[] {
  if (smallTalk) return [];
  const calls: DemoCall[] = [{ name: "ls", input: { path: ".", depth: 3 } }];
  for (const path of paths) calls.push({ name: "view", input: { file_path: path, limit: 60 } });
  if (words.length === 0) return calls;
  const either = words.map((word) => word.replace(/[^\p{L}\p{N}_]/gu, "\\$&")).join("|");
  calls.push({ name: "grep", input: { pattern: `(?i)${either}` } });
  // A glob of one alternative in braces would mean the braces.
  const names = words.length === 1 ? `${words[0]}` : `{${words.join(",")}}`;
  calls.push({ name: "glob", input: { pattern: `**/*${names}*` } });
  return calls;
}

function closerLook({ results }: DemoTopic): readonly DemoCall[] {
  const directories = results.filter(({ content }) => content.includes("is a directory; use ls"));
  if (directories.length > 0)
    return directories.map((call) => ({ name: "ls", input: { path: pathOf(call), depth: 2 } }));
  if (results.some(({ name, isError }) => name === "view" && !isError)) return [];
  const match = bestMatch(matchesIn(results));
  if (match !== null)
    return [
      {
        name: "view",
        input: { file_path: match.path, offset: Math.max(1, match.line - 3), limit: 30 },
      },
    ];
  const path = namesIn(results)[0] ?? likeliestFile(entriesIn(results));
  return path === undefined ? [] : [{ name: "view", input: { file_path: path, limit: 60 } }];
}

/** The file a call of `view` is about. */
export function pathOf({ input }: DemoCall): string {
  const path = input["file_path"];
  return typeof path === "string" ? path : "";
}

/** At most `length` UTF-16 units of a text, no character halved. */
export function beginning(text: string, length: number): string {
  return text.slice(0, length).replace(/[\uD800-\uDBFF]$/, "");
}

export interface Match {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** The lines that `grep` found: `path:line: text`. */
export function matchesIn(results: readonly DemoResult[]): readonly Match[] {
  return linesOf(results, "grep").flatMap((row) => {
    const [, path, line, text] = /^(.+?):(\d+): (.*)$/.exec(row) ?? [];
    return path === undefined ? [] : [{ path, line: Number(line), text: text ?? "" }];
  });
}

/** The paths that `glob` found. */
export function namesIn(results: readonly DemoResult[]): readonly string[] {
  return linesOf(results, "glob").filter(
    (row) => row !== "no file matches" && !row.startsWith("["),
  );
}

export interface TreeEntry {
  /** Relative to the directory that was listed. */
  readonly path: string;
  readonly directory: boolean;
  readonly depth: number;
}

/** The tree that the first `ls` showed: two blanks per level, directories end in `/`. */
export function entriesIn(results: readonly DemoResult[]): readonly TreeEntry[] {
  const listing = results.find(({ name, isError }) => name === "ls" && !isError);
  const parents: string[] = [];
  return (listing?.content.split("\n") ?? []).flatMap((row) => {
    const [, indent = "", name = ""] = /^((?: {2})+)(\S.*)$/.exec(row) ?? [];
    if (name === "") return [];
    const depth = indent.length / 2;
    const directory = name.endsWith("/");
    const bare = directory ? name.slice(0, -1) : name;
    parents.length = depth - 1;
    const path = [...parents, bare].join("/");
    parents.push(bare);
    return [{ path, directory, depth }];
  });
}

function linesOf(results: readonly DemoResult[], tool: string): readonly string[] {
  return results
    .filter(({ name, isError }) => name === tool && !isError)
    .flatMap(({ content }) => content.split("\n"));
}

/** The first match in the file that has the most of them. */
function bestMatch(matches: readonly Match[]): Match | null {
  const counts = new Map<string, number>();
  for (const { path } of matches) counts.set(path, (counts.get(path) ?? 0) + 1);
  let best: Match | null = null;
  for (const match of matches) {
    if (best === null || (counts.get(match.path) ?? 0) > (counts.get(best.path) ?? 0)) best = match;
  }
  return best;
}

function likeliestFile(entries: readonly TreeEntry[]): string | undefined {
  const files = entries.filter(({ directory }) => !directory).map(({ path }) => path);
  return (
    files.find((path) => /^readme(\.\w+)?$/i.test(path)) ??
    files.find((path) => /(^|\/)readme(\.\w+)?$/i.test(path)) ??
    files.find((path) =>
      /^(package\.json|cargo\.toml|pyproject\.toml|go\.mod|makefile)$/i.test(path),
    ) ??
    files.find((path) => TEXT_FILE.test(path))
  );
}

const TEXT_FILE = /\.(md|txt|ts|js|mjs|py|go|rs|c|h|cc|java|rb|sh|json|toml|ya?ml|html|css|sql)$/i;

function resultsIn(messages: readonly Message[]): readonly DemoResult[] {
  const parts = messages.flatMap((message) => message.parts);
  const calls = new Map(
    parts.flatMap((part) => (part.type === "tool_call" ? [[part.id, part]] : [])),
  );
  return parts.flatMap((part) => {
    if (part.type !== "tool_result") return [];
    const input = decoded(calls.get(part.toolCallId)?.input ?? "{}");
    return [{ name: part.name, input, content: part.content, isError: part.isError }];
  });
}

function decoded(input: string): JsonObject {
  try {
    const value: unknown = JSON.parse(input);
    return isJsonObject(value) ? value : {};
  } catch {
    return {}; // a call that somebody else's model wrote
  }
}

/** Names with a `/` or an extension, as a person writes them in a sentence. At most two. */
function pathsIn(prompt: string): readonly string[] {
  const named = prompt
    .split(/[\s"'`()<>,;]+/)
    .map((token) => token.replace(/[.:!?]+$/, ""))
    .filter((token) => !token.includes("://") && /^[\w./@-]+$/.test(token))
    .filter((token) => /\w\/\w|^\.{0,2}\/\w|\w\/$|\w\w\.[a-z]\w{0,5}$|^\.\w+$/i.test(token));
  return [...new Set(named)].slice(0, 2);
}

function wordsIn(prompt: string, paths: readonly string[]): readonly string[] {
  let rest = prompt;
  for (const path of paths) rest = rest.replaceAll(path, " ");
  const words = rest.match(/[\p{L}_][\p{L}\p{N}_-]{2,}/gu) ?? [];
  const telling = words.filter((word) => {
    const lower = word.toLowerCase();
    return !SMALL_TALK.has(lower) && !COMMON.has(lower) && !PLACE.has(lower);
  });
  const unique = [...new Map(telling.map((word) => [word.toLowerCase(), word])).values()];
  return unique.sort((a, b) => b.length - a.length).slice(0, 3);
}

const setOf = (words: string): ReadonlySet<string> => new Set(words.trim().split(/\s+/));

const SMALL_TALK = setOf(
  "hello hi hey thanks thank you good morning evening day bye please ok okay",
);

/** Words for where we are: they are answered by the listing, not by a search. */
const PLACE = setOf(`
  file files folder folders directory directories project projects repo repository code codebase here
  readme source sources content contents tree workspace
`);

const COMMON = setOf(`
  the and for are was were has have had does did can could would should will may might must not but with without
  from into onto over under about this that these those there their them then than its what which who whom whose when
  where why how any all some each every one two your our his her out off per via let lets tell show give find list
  read look see say explain describe summarise summarize summary word words line lines short sentence sentences make use
  used using get want need like write print answer question name names called many much more most first last also only
  just very new old work works doing done being been
`);
