import {
  beginning,
  type DemoResult,
  type DemoTopic,
  entriesIn,
  matchesIn,
  namesIn,
  pathOf,
  type TreeEntry,
} from "./demo-plan.ts";

const MAX_MATCHES = 5;
const MAX_NAMES = 8;
const MAX_EXCERPT_LINES = 8;
const MAX_CHARACTERS = 160;

/** The answer of the demo model: nothing but what the tools of this turn returned. Never empty. */
export function answerTo(topic: DemoTopic, workingDirectory: string): string {
  const paragraphs = [
    topic.smallTalk ? greeting(workingDirectory) : introduction(topic, workingDirectory),
    earlier(topic.earlierPrompts),
    shape(topic.results),
    found(topic),
    named(topic),
    ...topic.results.filter(({ name }) => name === "view").map(excerpt),
    ...topic.results.filter(({ name, isError }) => isError && name !== "view").map(failure),
    topic.smallTalk
      ? ""
      : "For an answer that understands the question, choose a real model: `crush models` lists those that are usable here.",
  ];
  return paragraphs.filter((paragraph) => paragraph !== "").join("\n\n");
}

function greeting(workingDirectory: string): string {
  return `Hello. I am the offline demo model of crush: no network, no key, no understanding. Ask about the files in ${workingDirectory}, and I will list, search and read them with the same tools that a real model uses.`;
}

function introduction({ results }: DemoTopic, workingDirectory: string): string {
  const who = "This is the offline demo model: it does not understand the question";
  if (results.length === 0)
    return `${who}, and it was given no tool to look at ${workingDirectory} with. So there is nothing it can report.`;
  const tools = [...new Set(results.map(({ name }) => `\`${name}\``))].join(", ");
  return `${who}, it reports what ${tools} found in ${workingDirectory}.`;
}

function earlier(prompts: readonly string[]): string {
  const last = prompts.at(-1);
  if (last === undefined) return "";
  return `Earlier in this session you asked: "${clip(last.replace(/\s+/g, " ").trim())}".`;
}

function shape(results: readonly DemoResult[]): string {
  const listing = results.find(({ name, isError }) => name === "ls" && !isError);
  if (listing === undefined) return "";
  const entries = entriesIn(results);
  if (entries.length === 0)
    return "The working directory is empty: there is nothing to list, search or read.";
  const top = entries.filter(({ depth }) => depth === 1);
  const directories = top.filter(({ directory }) => directory).map(({ path }) => `${path}/`);
  const files = top.filter(({ directory }) => !directory).map(({ path }) => path);
  const parts = [
    counted(directories, "directory", "directories"),
    counted(files, "file", "files"),
  ].filter((part) => part !== "");
  return `At the top: ${parts.join("; ")}. ${kinds(entries)}`;
}

function counted(names: readonly string[], one: string, many: string): string {
  if (names.length === 0) return "";
  const more = names.length > MAX_NAMES ? ", …" : "";
  const shown = names.slice(0, MAX_NAMES).join(", ");
  return `${names.length} ${names.length === 1 ? one : many} (${shown}${more})`;
}

function kinds(entries: readonly TreeEntry[]): string {
  const counts = new Map<string, number>();
  for (const { path, directory } of entries) {
    const extension = /[^/.](\.\w+)$/.exec(path)?.[1];
    if (!directory && extension !== undefined)
      counts.set(extension, (counts.get(extension) ?? 0) + 1);
  }
  const files = entries.filter(({ directory }) => !directory).length;
  const most = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 5);
  if (most.length === 0) return "";
  const shown = most.map(([extension, count]) => `${count} ${extension}`).join(", ");
  return `Kinds among the ${files} ${files === 1 ? "file" : "files"} listed, three levels deep: ${shown}.`;
}

function found({ results, words }: DemoTopic): string {
  if (!results.some(({ name, isError }) => name === "grep" && !isError)) return "";
  const matches = matchesIn(results);
  const sought = words.map((word) => `"${word}"`).join(" or ");
  if (matches.length === 0) return `No line of any file contains ${sought}.`;
  const files = new Set(matches.map(({ path }) => path)).size;
  const rows = matches
    .slice(0, MAX_MATCHES)
    .map(({ path, line, text }) => `- ${path}:${line}: ${clip(text.trim())}`);
  const lines = `${matches.length} ${matches.length === 1 ? "line" : "lines"} in ${files} ${files === 1 ? "file" : "files"}`;
  return `${sought}: ${lines} found${matches.length > MAX_MATCHES ? ", the first ones" : ""}:\n${rows.join("\n")}`;
}

function named({ results }: DemoTopic): string {
  const names = namesIn(results);
  if (names.length === 0) return "";
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : "";
  return `Files with such a name: ${names.slice(0, MAX_NAMES).join(", ")}${more}.`;
}

function excerpt(result: DemoResult): string {
  const path = pathOf(result);
  if (result.isError) return failure(result);
  const rows = result.content.split("\n").flatMap((row) => {
    const [, number, text = ""] = /^ *(\d+)\t(.*)$/.exec(row) ?? [];
    return number === undefined || text.trim() === "" ? [] : [{ number, text }];
  });
  const [first] = rows;
  if (first === undefined) return `${path} is empty.`;
  const quoted = rows.slice(0, MAX_EXCERPT_LINES).map(({ text }) => `> ${clip(text)}`);
  return `${path}, from line ${first.number}:\n${quoted.join("\n")}`;
}

function failure({ name, content }: DemoResult): string {
  return `The tool \`${name}\` could not do what was asked: ${clip(content.split("\n")[0] ?? "")}`;
}

function clip(text: string): string {
  return text.length <= MAX_CHARACTERS ? text : `${beginning(text, MAX_CHARACTERS)}…`;
}
