import { commonFlags, type Branch, type NamedFlag } from "./command-tree.ts";

/** To be put as `_crush` on the `fpath`, or to be sourced after `compinit`. */
export function zshCompletion(tree: readonly Branch[]): string {
  return `#compdef crush
# Completion of crush for zsh. Made by: crush completion zsh
_crush() {
  local curcontext="$curcontext" state
  local -a line commands
  _arguments -C -S \\
${specs(commonFlags(tree), 4)}
    '1: :->command' \\
    '*:: :->rest' && return 0
  case "$state" in
    command)
      commands=(${described(tree)})
      _describe -t commands command commands
      ;;
    rest)
      case "$words[1]" in
${tree.map((branch) => branchCase(branch, 8)).join("\n")}
      esac
      ;;
  esac
}
${tree
  .filter(({ children }) => children.length > 0)
  .map(groupFunction)
  .join("")}if [ "$funcstack[1]" = _crush ]; then
  _crush "$@"
else
  compdef _crush crush
fi
`;
}

const groupFunction = ({ name, flags, children }: Branch): string => `_crush_${name}() {
  local curcontext="$curcontext" state
  local -a line commands
  _arguments -C -S \\
${specs(flags, 4)}
    '1: :->command' \\
    '*:: :->rest' && return 0
  case "$state" in
    command)
      commands=(${described(children)})
      _describe -t commands command commands
      ;;
    rest)
      case "$words[1]" in
${children.map((branch) => branchCase(branch, 8)).join("\n")}
      esac
      ;;
  esac
}
`;

function branchCase({ name, names, flags, words, children }: Branch, indent: number): string {
  const space = " ".repeat(indent);
  if (children.length > 0) return `${space}${names.join(" | ")}) _crush_${name} ;;`;
  const rest = words.length === 0 ? "'*: : '" : `'*: :(${words.join(" ")})'`;
  return `${space}${names.join(" | ")})
${space}  _arguments -S \\
${specs(flags, indent + 4)}
${space}    ${rest}
${space}  ;;`;
}

const described = (tree: readonly Branch[]): string =>
  tree.map(({ name, summary }) => quoted(`${name}:${summary.replaceAll(":", "\\:")}`)).join(" ");

const specs = (flags: readonly NamedFlag[], indent: number): string =>
  flags
    .flatMap(specsOf)
    .map((spec) => `${" ".repeat(indent)}${spec} \\`)
    .join("\n");

/** One for each spelling; each excludes the others, unless the flag may be repeated. */
function specsOf({ flag, spellings, value }: NamedFlag): readonly string[] {
  const before = flag.many === true ? "*" : `(${spellings.join(" ")})`;
  const text = flag.describe.replace(/[\\[\]]/g, "\\$&");
  const after = value === null ? "" : `:${value.shown}:${action(flag, value.kind)}`;
  return spellings.map((spelling) => {
    const join = value === null ? "" : spelling.startsWith("--") ? "=" : "+";
    return quoted(`${before}${spelling}${join}[${text}]${after}`);
  });
}

function action({ values }: NamedFlag["flag"], kind: "file" | "directory" | "word"): string {
  if (values !== undefined) return `(${values.join(" ")})`;
  if (kind === "word") return " ";
  return kind === "file" ? "_files" : "_files -/";
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
