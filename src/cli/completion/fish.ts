import { allFlags, commonFlags, type Branch, type NamedFlag } from "./command-tree.ts";

/** To be put into `completions/crush.fish` of fish's configuration, or to be sourced. */
export function fishCompletion(tree: readonly Branch[]): string {
  const valued = allFlags(tree).filter(({ value }) => value !== null);
  const top = tree.map(({ name, summary }) => offer("__crush_at ''", name, summary));
  return `# Completion of crush for fish. Made by: crush completion fish
function __crush_path # the words so far that are neither flags nor their values
    set -l words
    set -l is_value 0
    for token in (commandline -opc)[2..-1]
        if test $is_value = 1
            set is_value 0
        else if contains -- $token ${valued.flatMap(({ spellings }) => spellings).join(" ")}
            set is_value 1
        else if not string match -q -- '-*' $token
            set -a words $token
        end
    end
    string join ' ' $words
end
function __crush_at # one of these paths, and nothing behind it
    contains -- "$(__crush_path)" $argv
end
function __crush_in # one of these paths, or something behind it
    set -l path "$(__crush_path) "
    for one in $argv
        string match -q -- "$one *" $path; and return 0
    end
    return 1
end
complete -c crush -f
${[
  ...top,
  ...commonFlags(tree).flatMap((flag) => complete(null, flag)),
  ...tree.flatMap((branch) => branchLines(branch, branch.names, commonFlags(tree))),
].join("\n")}
`;
}

function branchLines(
  branch: Branch,
  paths: readonly string[],
  common: readonly NamedFlag[],
): readonly string[] {
  const spelt = paths.map(quoted).join(" ");
  return [
    ...branch.children.map(({ name, summary }) => offer(`__crush_at ${spelt}`, name, summary)),
    ...branch.words.map((word) => offer(`__crush_at ${spelt}`, word, "")),
    ...branch.flags
      .filter((flag) => !common.includes(flag) && branch.children.length === 0)
      .flatMap((flag) => complete(`__crush_in ${spelt}`, flag)),
    ...branch.children.flatMap((child) =>
      branchLines(
        child,
        paths.flatMap((path) => child.names.map((name) => `${path} ${name}`)),
        common,
      ),
    ),
  ];
}

const offer = (condition: string, word: string, summary: string): string =>
  `complete -c crush -n ${quoted(condition)} -a ${word}${summary === "" ? "" : ` -d ${quoted(summary)}`}`;

/** A line for the flag, and one for its opposite. */
function complete(
  condition: string | null,
  { flag, spellings, value }: NamedFlag,
): readonly string[] {
  const when = condition === null ? "" : ` -n ${quoted(condition)}`;
  const short = spellings
    .filter((one) => !one.startsWith("--"))
    .map((one) => ` -s ${one.slice(1)}`);
  const takes =
    value === null
      ? ""
      : flag.values === undefined
        ? value.kind === "word"
          ? " -x"
          : value.kind === "file"
            ? " -rF"
            : " -xa '(__fish_complete_directories)'"
        : ` -xa ${quoted(flag.values.join(" "))}`;
  return spellings
    .filter((one) => one.startsWith("--"))
    .map((long, at) => {
      const letters = at === 0 ? short.join("") : "";
      return `complete -c crush${when}${letters} -l ${long.slice(2)}${takes} -d ${quoted(flag.describe)}`;
    });
}

const quoted = (text: string): string => `'${text.replace(/[\\']/g, "\\$&")}'`;
