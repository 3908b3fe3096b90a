import { ExpandFailed, parseTemplate, type Template } from "./template.ts";

/** What a template is expanded with. */
export interface Expansion {
  readonly lookup: (name: string) => string | undefined;
  /** Runs a `$(command)` and gives its output without trailing newlines; throws `ExpandFailed`. */
  readonly run: (command: string, signal: AbortSignal) => Promise<string>;
}

/** The value of a configuration string. An unset variable is empty. Throws `ExpandFailed`. */
export async function expand(
  source: string,
  expansion: Expansion,
  signal: AbortSignal,
): Promise<string> {
  return await evaluate(parseTemplate(source), expansion, signal);
}

async function evaluate(
  template: Template,
  expansion: Expansion,
  signal: AbortSignal,
): Promise<string> {
  let result = "";
  for (const part of template) {
    if (part.type === "text") result += part.text;
    else if (part.type === "command") result += await expansion.run(part.command, signal);
    else {
      const value = expansion.lookup(part.name) ?? "";
      const word = (): Promise<string> => evaluate(part.word, expansion, signal);
      if (part.operator === null) result += value;
      else if (part.operator === ":+") result += value === "" ? "" : await word();
      else if (value !== "") result += value;
      else if (part.operator === ":-") result += await word();
      else throw new ExpandFailed(`${part.name}: ${(await word()) || "is not set"}`);
    }
  }
  return result;
}
