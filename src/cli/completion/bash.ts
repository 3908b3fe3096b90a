import { allFlags, commonFlags, type Branch, type NamedFlag } from "./command-tree.ts";

/** For Bash 3.2 and later; needs no other completion package. */
export function bashCompletion(tree: readonly Branch[]): string {
  const valued = allFlags(tree).filter(({ value }) => value !== null);
  return `# Completion of crush for bash. Made by: crush completion bash
_crush_offer() { # arguments of compgen
  local IFS=$'\\n'
  COMPREPLY=($(compgen "$@"))
}
_crush_words() { # beginning, words, flags
  if [[ $1 == -* ]]; then
    _crush_offer -W "$3" -- "$1"
  else
    _crush_offer -W "$2" -- "$1"
  fi
}
_crush_takes() { # flag
  case "$1" in
    ${valued.flatMap(({ spellings }) => spellings).join(" | ")}) return 0 ;;
    *) return 1 ;;
  esac
}
_crush_value() { # flag, beginning of its value
  case "$1" in
${valued.flatMap(valueCase).join("\n")}
  esac
}
_crush() {
  COMPREPLY=()
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" flag=
  local word path= i=1 at
  while ((i < COMP_CWORD)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == -- ]]; then
      return
    elif [[ $word == -* ]]; then
      if [[ \${COMP_WORDS[i+1]} == "=" ]]; then
        ((i += 2))
      elif _crush_takes "$word"; then
        ((i += 1))
      fi
    else
      path+=" $word"
    fi
    ((i += 1))
  done
  if [[ $cur == "=" ]]; then
    _crush_value "$prev" ""
    return
  elif [[ $prev == "=" ]]; then
    _crush_value "\${COMP_WORDS[COMP_CWORD-2]}" "$cur"
    return
  elif _crush_takes "$prev"; then
    _crush_value "$prev" "$cur"
    return
  elif [[ $cur == --*=* ]]; then # a shell that does not break words at =
    flag=\${cur%%=*}
    _crush_value "$flag" "\${cur#*=}"
    for at in "\${!COMPREPLY[@]}"; do
      COMPREPLY[at]="$flag=\${COMPREPLY[at]}"
    done
    return
  fi
  case "$path" in
    "") _crush_words "$cur" ${quoted(names(tree))} ${quoted(spelt(commonFlags(tree)))} ;;
${tree.flatMap(pathCases).join("\n")}
  esac
}
complete -F _crush crush
`;
}

/** A value of which nothing is known is left to the person. */
function valueCase({ flag, spellings, value }: NamedFlag): readonly string[] {
  const files = (how: string): string =>
    `compopt -o filenames 2> /dev/null; _crush_offer ${how} -- "$2"`;
  const pattern = spellings.join(" | ");
  if (flag.values !== undefined)
    return [`    ${pattern}) _crush_offer -W ${quoted(flag.values)} -- "$2" ;;`];
  if (value?.kind === "file") return [`    ${pattern}) ${files("-f")} ;;`];
  return value?.kind === "directory" ? [`    ${pattern}) ${files("-d")} ;;`] : [];
}

const pathCases = (branch: Branch): readonly string[] => [
  pathCase([], branch),
  ...branch.children.map((child) => pathCase(branch.names, child)),
];

/** Of a group nothing is offered after a word that it does not know. */
function pathCase(heads: readonly string[], branch: Branch): string {
  const { children, words, flags } = branch;
  const before = heads.length === 0 ? [""] : heads.map((head) => ` ${head}`);
  const paths = before.flatMap((head) => branch.names.map((name) => `${head} ${name}`));
  const patterns = paths.flatMap((path) =>
    children.length > 0 ? [`"${path}"`] : [`"${path}"`, `"${path} "*`],
  );
  const offered = children.length > 0 ? names(children) : words;
  return `    ${patterns.join(" | ")}) _crush_words "$cur" ${quoted(offered)} ${quoted(spelt(flags))} ;;`;
}

const names = (tree: readonly Branch[]): readonly string[] => tree.map(({ name }) => name);
const spelt = (flags: readonly NamedFlag[]): readonly string[] =>
  flags.flatMap(({ spellings }) => spellings);

/** One word of the shell, a name a line. */
const quoted = (words: readonly string[]): string => `$'${words.join("\\n")}'`;
