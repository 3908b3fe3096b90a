import {
  forEachChild,
  parse,
  type Command,
  type ParsedScript,
  type Redirect,
  type SyntaxNode,
} from "unbash";
import { arithmeticWatch, type ArithmeticWatch } from "./arithmetic-watch.ts";
import { commandOf } from "./command-of.ts";
import { isHarmlessVariable } from "./harmless-variable.ts";
import {
  programOf,
  unclearCommand,
  type CommandLine,
  type RedirectedFile,
  type ShellCommand,
} from "./shell-command.ts";
import { shellWord, type ShellWord } from "./shell-word.ts";

/** A text in a text in a text: nobody writes that by hand. */
const MAX_DEPTH = 8;

interface Reading {
  readonly writes: RedirectedFile[];
  readonly unclear: string[];
  readonly arithmetic: ArithmeticWatch;
  changesDirectory: boolean;
}

/** Takes a command line of Bash apart, whatever it nests. Contract: must not throw. */
export function readCommandLine(text: string): CommandLine {
  const reading: Reading = {
    writes: [],
    unclear: [],
    arithmetic: arithmeticWatch(),
    changesDirectory: false,
  };
  const commands = readText(text, reading, 0);
  const unclear = [...reading.unclear, ...reading.arithmetic.unclear()];
  return { commands, writes: reading.writes, unclear, changesDirectory: reading.changesDirectory };
}

function readText(text: string, reading: Reading, depth: number): readonly ShellCommand[] {
  if (depth > MAX_DEPTH) {
    reading.unclear.push("it is nested too deeply");
    return [];
  }
  const commands: ShellCommand[] = [];
  const visit = (node: SyntaxNode): void => {
    look(node, reading);
    reading.arithmetic.look(node);
    if (node.type === "Command") {
      const command = simpleCommand(node, (inner) => readText(inner, reading, depth + 1));
      if (command !== null) commands.push(command);
      if (command !== null && changesDirectory(command)) reading.changesDirectory = true;
    }
    forEachChild(node, visit);
  };
  try {
    visit(parse(text));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    reading.unclear.push("it is nested too deeply");
  }
  return commands;
}

function look(node: SyntaxNode, { unclear, writes }: Reading): void {
  switch (node.type) {
    case "Script":
      if (((node satisfies ParsedScript).errors ?? []).length > 0)
        unclear.push("it cannot be read as a shell command");
      return;
    case "CommandExpansion":
    case "ProcessSubstitution":
    case "ArithmeticCommandExpansion":
      if (node.script === undefined) unclear.push("it cannot be read as a shell command");
      return;
    case "For":
    case "Select":
      if (!isHarmlessVariable(node.name.value)) unclear.push(`it sets ${node.name.value}`);
      return;
    case "Coproc":
      unclear.push("it starts a coprocess");
      return;
    case "FileDescriptorVariable":
      if (!isHarmlessVariable(node.name)) unclear.push(`it sets ${node.name}`);
      return;
    case "Transform":
      if (node.operand.value.includes("P")) unclear.push("it expands a text as a prompt");
      return;
    case "ParameterExpansion":
      if (node.prefix === "!") unclear.push("it looks at a variable that is not known yet");
      if (node.operation?.type === "Default" && /=/.test(node.operation.operator))
        if (!isHarmlessVariable(node.parameter)) unclear.push(`it sets ${node.parameter}`);
      return;
    case "Redirect":
      redirection(node, unclear, writes);
      return;
    default:
  }
}

const WRITES: ReadonlySet<string> = new Set([">", ">>", "<>", ">|", "&>", "&>>", ">&"]);
const NO_FILE = /^\/dev\/(null|stdout|stderr|tty|zero|full|fd\/\d+)$/;

function redirection(
  { operator, target }: Redirect,
  unclear: string[],
  writes: RedirectedFile[],
): void {
  if (target === undefined) return;
  const { text, start } = shellWord(target);
  if (/^\/+dev\/+(tcp|udp)\b/.test(start)) unclear.push("it opens a connection");
  if (!WRITES.has(operator)) return;
  if (operator === ">&" && text !== null && /^(\d+-?|-)$/.test(text)) return;
  if (text !== null && NO_FILE.test(text)) return;
  writes.push({ text: target.text.startsWith("~") ? null : text });
}

function simpleCommand(
  { prefix, name, suffix }: Command,
  read: (text: string) => readonly ShellCommand[],
): ShellCommand | null {
  const set = prefix.filter((one) => one.type === "Assignment");
  const words = [
    ...(name === undefined ? [] : [shellWord(name)]),
    ...suffix.flatMap((one) =>
      one.type === "Word" ? [shellWord(one)] : one.type === "Assignment" ? [assigned(one)] : [],
    ),
  ];
  const harmful = set.find((one) => !isHarmlessVariable(one.name));
  const inner = words.length === 0 ? null : commandOf(words, read);
  if (harmful === undefined) return inner;
  const all = [...set.map(assigned), ...words];
  return unclearCommand(all, `it sets ${harmful.name}`, inner === null ? [] : [inner]);
}

function assigned({
  name,
  text,
  value,
}: {
  readonly name: string;
  readonly text: string;
  readonly value: { readonly type: string };
}): ShellWord {
  const isPlain = value.type === "Word" && /^[\w./:@%+,=-]*$/.test(text);
  return { text: isPlain ? text : null, start: `${name}=`, many: false };
}

const changesDirectory = (command: ShellCommand): boolean =>
  ["cd", "pushd", "popd"].includes(programOf(command.words) ?? "") ||
  command.runs.some(changesDirectory);
