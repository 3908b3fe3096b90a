import type { Command } from "../command.ts";
import { COMMANDS, groupAliases } from "../commands.ts";
import { COMMON_FLAGS, SELF_FLAGS, type Flag } from "../flags.ts";

/** A word that may follow `crush`, or a group of such words: what a shell is told of it. */
export interface Branch {
  readonly name: string;
  /** The name first, then its aliases. */
  readonly names: readonly string[];
  readonly summary: string;
  readonly flags: readonly NamedFlag[];
  /** What may stand beside the flags, where that is a list. */
  readonly words: readonly string[];
  /** The commands of a group. */
  readonly children: readonly Branch[];
}

export interface NamedFlag {
  readonly flag: Flag;
  /** As it is typed: `-q`, `--quiet`; with `--no-…` where that is what people type. */
  readonly spellings: readonly string[];
  /** What its value is; null for a switch. */
  readonly value: { readonly shown: string; readonly kind: "file" | "directory" | "word" } | null;
}

/** The commands in the order of the help; those of a group below it. */
export function commandTree(): readonly Branch[] {
  const heads = [...new Set(COMMANDS.map(({ name }) => name.split(" ")[0] ?? name))];
  return heads.flatMap((head) => {
    const children = COMMANDS.filter(({ name }) => name.startsWith(`${head} `));
    const group: Branch = {
      name: head,
      names: [head, ...groupAliases(head)],
      summary: children.map(tailOf).join(", "),
      flags: COMMON,
      words: [],
      children: children.map((command) => branchOf(command, heads)),
    };
    return [
      ...COMMANDS.filter(({ name }) => name === head).map((one) => branchOf(one, heads)),
      ...(children.length === 0 ? [] : [group]),
    ];
  });
}

function branchOf(command: Command, heads: readonly string[]): Branch {
  const [, list = ""] = /^[[<]([\w-]+(?:\|[\w-]+)+)[\]>]$/.exec(command.words.shown) ?? [];
  const listed = list === "" ? [] : list.split("|");
  return {
    name: tailOf(command),
    names: [tailOf(command), ...command.aliases],
    summary: command.summary,
    flags: [...Object.entries<Flag>(command.flags).map(named), ...COMMON],
    words: command.name === "help" ? heads : listed,
    children: [],
  };
}

/** `session list` → `list` */
const tailOf = ({ name }: Command): string => name.slice(name.indexOf(" ") + 1);

const named = ([name, flag]: readonly [string, Flag]): NamedFlag => {
  const short = typeof flag.alias === "string" ? [`-${flag.alias}`] : [];
  const opposite = flag.describe.includes(`--no-${name}`) ? [`--no-${name}`] : [];
  return {
    flag,
    spellings: [...short, `--${name}`, ...opposite],
    value: flag.type === "boolean" ? null : { shown: flag.takes ?? "VALUE", kind: kindOf(flag) },
  };
};

function kindOf({ takes }: Flag): "file" | "directory" | "word" {
  if (takes === "FILE") return "file";
  return takes === "DIR" ? "directory" : "word";
}

const COMMON = Object.entries<Flag>({ ...COMMON_FLAGS, ...SELF_FLAGS }).map(named);

/** Every flag of every command once: a name means the same in all of them. */
export function allFlags(tree: readonly Branch[]): readonly NamedFlag[] {
  const every = tree.flatMap((branch) => [...branch.flags, ...allFlags(branch.children)]);
  return [...new Map(every.map((one) => [one.spellings.join(" "), one])).values()];
}

/** Those of the program itself, which stand in every branch. */
export const commonFlags = (tree: readonly Branch[]): readonly NamedFlag[] =>
  (tree[0]?.flags ?? []).filter((flag) => tree.every(({ flags }) => flags.includes(flag)));
