/** A workflow command as the runner of GitHub Actions understood it. */
export interface RunnerCommand {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string;
}

const REGISTERED = ["add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error"]
  .concat(["group", "notice", "remove-matcher", "save-state", "set-env", "set-output", "warning"])
  .concat(["stop-commands"]);

/** Reads the lines of a step in this order as the runner does (ActionCommand and ActionCommandManager of actions/runner). */
export function obeyed(lines: readonly string[]): RunnerCommand[] {
  const registered = new Set(REGISTERED);
  let token: string | null = null;
  const commands: RunnerCommand[] = [];
  for (const line of lines) {
    const command = parsed(line, registered);
    if (command === null) continue;
    if (token !== null) {
      if (command.name.toLowerCase() !== token) continue;
      registered.delete(token);
      token = null;
    } else if (command.name === "stop-commands") {
      token = command.data;
      registered.add(token);
    } else commands.push(command);
  }
  return commands;
}

/** Whether one of these lines would be obeyed where commands are on. */
export const isObeyed = (line: string): boolean => parsed(line, new Set(REGISTERED)) !== null;

export const linesOf = (text: string): string[] => text.split(/\r\n|\n|\r/);

function parsed(line: string, registered: ReadonlySet<string>): RunnerCommand | null {
  const second = /^[\s\u0085]*::(.*?)::(.*)$/su.exec(line);
  if (second !== null) {
    const command = named(second[1] ?? "", registered, ",", fromProperty);
    if (command !== null) return { ...command, data: fromData(second[2] ?? "") };
  }
  const first = /##\[(.*?)\](.*)$/su.exec(line);
  if (first === null) return null;
  const command = named(first[1] ?? "", registered, ";", (text) => text);
  return command && { ...command, data: first[2] ?? "" };
}

function named(
  head: string,
  registered: ReadonlySet<string>,
  separator: string,
  unescape: (text: string) => string,
): Omit<RunnerCommand, "data"> | null {
  const [name = ""] = head.split(" ", 1);
  if (!registered.has(name)) return null;
  const pairs = head
    .slice(name.length)
    .trim()
    .split(separator)
    .map((pair) => /^(.+?)=(.*)$/s.exec(pair) ?? [])
    .map(([, key = "", value = ""]) => [key, unescape(value)] as const)
    .filter(([key]) => key !== "");
  return { name, properties: Object.fromEntries(pairs) };
}

const fromData = (text: string): string =>
  text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");

const fromProperty = (text: string): string =>
  text
    .replaceAll("%0D", "\r")
    .replaceAll("%0A", "\n")
    .replaceAll("%3A", ":")
    .replaceAll("%2C", ",")
    .replaceAll("%25", "%");
