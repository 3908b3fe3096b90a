import type { ArithmeticWord, SyntaxNode, Word } from "unbash";

/**
 * Bash evaluates the value of a variable in arithmetic, and an index in it may hold `$(…)`: `x='a[$(rm f)]'; echo $((x))` runs `rm`. So
 * every variable in arithmetic must be known to hold a number, as far as this text sets it.
 */
export interface ArithmeticWatch {
  look(node: SyntaxNode): void;
  /** Once everything was looked at. */
  unclear(): readonly string[];
}

const COMPARISONS: ReadonlySet<string> = new Set(["-eq", "-ne", "-lt", "-le", "-gt", "-ge"]);
/** They set variables by name, to what is not known yet. */
const SETTERS: ReadonlySet<string> = new Set(["read", "mapfile", "readarray", "getopts", "printf"]);

export function arithmeticWatch(): ArithmeticWatch {
  const used: string[] = [];
  const texts = new Set<string>();
  let setsAnything = false;

  const use = (name: string | null): void => {
    used.push(name ?? "");
  };
  const set = (name: string, isNumber: boolean): void => {
    if (!isNumber) texts.add(name);
  };

  return {
    look: (node) => {
      switch (node.type) {
        case "ArithmeticWord":
          for (const name of namesIn(node)) use(name);
          return;
        case "ArithmeticCommandExpansion":
          use(null); // what the command prints is calculated with
          return;
        case "TestBinary":
          if (!COMPARISONS.has(node.operator)) return;
          for (const side of [node.left, node.right])
            for (const name of namesInWord(side)) use(name);
          return;
        case "TestUnary":
          if (node.operator === "-v" || node.operator === "-R")
            if (!/^\w+$/.test(node.operand.value)) use(null);
          return;
        case "Slice":
          for (const word of [node.offset, ...(node.length === undefined ? [] : [node.length])])
            for (const name of namesInWord(word)) use(name);
          return;
        case "ParameterExpansion":
          if (node.index !== undefined && !/^[@*]$/.test(node.index.value))
            for (const name of namesInWord(node.index)) use(name);
          if (node.operation?.type === "Default" && node.operation.operator.includes("="))
            set(node.parameter, isNumber(node.operation.operand));
          return;
        case "Assignment":
          if (node.index !== undefined) for (const name of namesInWord(node.index)) use(name);
          set(
            node.name,
            node.value.type === "Word" ? isNumber(node.value) : node.value.elements.every(isNumber),
          );
          return;
        case "For":
        case "Select":
          set(node.name.value, node.wordlist?.every(isNumberOrRange) ?? false);
          return;
        case "Command":
          if (node.name !== undefined && SETTERS.has(node.name.value))
            setsAnything ||= node.name.value !== "printf" || firstWord(node.args).startsWith("-v");
          for (const word of node.args) {
            const name = word.type === "Word" ? /^(\w+)\+?=/.exec(word.value)?.[1] : undefined;
            if (name !== undefined) texts.add(name); // env name=…
          }
          return;
        default:
      }
    },
    unclear: () =>
      used.some((name) => name === "" || texts.has(name) || setsAnything)
        ? ["it calculates with what is not known to be a number"]
        : [],
  };
}

const firstWord = (args: readonly SyntaxNode[]): string => {
  const [first] = args;
  return first?.type === "Word" ? first.value : "";
};

/** The variables; null for what is none and no number either. */
function namesIn({ value, parts }: ArithmeticWord): readonly (string | null)[] {
  return namesOf(value, parts !== undefined);
}

const namesInWord = ({ value, parts }: Word): readonly (string | null)[] =>
  namesOf(value, parts !== undefined);

function namesOf(value: string, hasParts: boolean): readonly (string | null)[] {
  const text = value.trim();
  if (/^[-+]?(\d\w*|\d+#\w+)?$/.test(text)) return [];
  if (/^\$(#|\?|\$|!)$|^\$\{#\w+(\[[@*]\])?\}$|^\$\(\([\s\S]*\)\)$/.test(text)) return [];
  const name = /^\$?\{?([A-Za-z_]\w*)\}?$/.exec(text)?.[1];
  if (name !== undefined) return [name];
  // An expression of names and numbers, as a test or an index may hold it.
  if (!hasParts && /^[\w\s+*/%()-]+$/.test(text))
    return (text.match(/[A-Za-z_]\w*/g) ?? []).map((one) => one);
  return [null];
}

const isNumber = ({ value, parts }: Word): boolean =>
  /^-?\d+$/.test(value) ||
  value === "" ||
  (parts?.length === 1 && parts[0]?.type === "ArithmeticExpansion") ||
  /^\$\{#\w+(\[[@*]\])?\}$/.test(value);

const isNumberOrRange = (word: Word): boolean =>
  isNumber(word) || /^\{-?\d+\.\.-?\d+(\.\.-?\d+)?\}$/.test(word.text);
