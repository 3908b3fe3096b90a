/**
 * The expansion language of configuration values, parsed. Shell words without splitting and globbing:
 * `$VAR` `${VAR}` `${VAR:-d}` `${VAR:+a}` `${VAR:?msg}` `$(command)`, quotes, backslash. protocol.md section 10.3.
 */
export type TemplatePart =
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "variable";
      readonly name: string;
      readonly operator: ":-" | ":+" | ":?" | null;
      readonly word: Template;
    }
  | { readonly type: "command"; readonly command: string };

export type Template = readonly TemplatePart[];

/** A value that cannot be expanded. The message is one line and holds no expanded text. */
export class ExpandFailed extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ExpandFailed";
  }
}

const MAX_DEPTH = 50;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;

/** Throws `ExpandFailed` for what is not in the language. */
export function parseTemplate(source: string): Template {
  if (!/[$`\\'"]/.test(source)) return source === "" ? [] : [{ type: "text", text: source }];
  return new Parser(source).parse();
}

/** Whether expanding it would run a command. */
export function runsCommand(template: Template): boolean {
  return template.some(
    (part) => part.type === "command" || (part.type === "variable" && runsCommand(part.word)),
  );
}

/** Every variable it names, commands not looked into. */
export function variablesOf(template: Template): readonly string[] {
  return template.flatMap((part) =>
    part.type === "variable" ? [part.name, ...variablesOf(part.word)] : [],
  );
}

class Parser {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Template {
    return this.#sequence("", 0);
  }

  /** Parts up to (not including) the unquoted character `end`; "" is the end of the source. */
  #sequence(end: "" | "}" | '"', depth: number): Template {
    if (depth > MAX_DEPTH) throw new ExpandFailed(`more than ${MAX_DEPTH} levels of nesting`);
    const quoted = end === '"';
    const parts: TemplatePart[] = [];
    const push = (text: string): void => {
      const last = parts.at(-1);
      if (last?.type === "text") parts[parts.length - 1] = { type: "text", text: last.text + text };
      else parts.push({ type: "text", text });
    };
    for (;;) {
      const char = this.#source[this.#at];
      if (char === undefined) {
        if (end === "") return parts;
        throw new ExpandFailed(quoted ? "a double quote is not closed" : "${ is not closed by }");
      }
      if (char === end) return parts;
      this.#at += 1;
      if (char === "\\") push(this.#escaped(quoted));
      else if (char === "'" && !quoted) push(this.#until("'", "a single quote is not closed"));
      else if (char === '"') {
        push("");
        parts.push(...this.#sequence('"', depth + 1));
        this.#at += 1;
      } else if (char === "`") {
        parts.push({ type: "command", command: this.#backticks() });
      } else if (char === "$") parts.push(this.#dollar(depth));
      else push(char);
    }
  }

  /** After a backslash. Inside double quotes it only escapes what is special there. */
  #escaped(quoted: boolean): string {
    const char = this.#source[this.#at];
    if (char === undefined) return "\\";
    if (quoted && !'$`"\\\n'.includes(char)) return "\\";
    this.#at += 1;
    return char === "\n" ? "" : char;
  }

  #until(end: string, complaint: string): string {
    const close = this.#source.indexOf(end, this.#at);
    if (close < 0) throw new ExpandFailed(complaint);
    const text = this.#source.slice(this.#at, close);
    this.#at = close + 1;
    return text;
  }

  #backticks(): string {
    let command = "";
    for (;;) {
      const char = this.#source[this.#at];
      if (char === undefined) throw new ExpandFailed("a backtick is not closed");
      this.#at += 1;
      if (char === "`") return command;
      const next = this.#source[this.#at];
      if (char === "\\" && next !== undefined && "`\\$".includes(next)) {
        command += next;
        this.#at += 1;
      } else command += char;
    }
  }

  #dollar(depth: number): TemplatePart {
    const char = this.#source[this.#at];
    if (char === "(") {
      this.#at += 1;
      return { type: "command", command: this.#command() };
    }
    if (char === "{") {
      this.#at += 1;
      return this.#braced(depth);
    }
    const name = this.#name();
    if (name === null)
      throw new ExpandFailed("a lone $ (write \\$ or '$' for the character itself)");
    return { type: "variable", name, operator: null, word: [] };
  }

  #braced(depth: number): TemplatePart {
    const name = this.#name();
    if (name === null) throw new ExpandFailed("${ is not followed by the name of a variable");
    const operator = this.#source.slice(this.#at, this.#at + 2);
    if (operator.startsWith("}")) {
      this.#at += 1;
      return { type: "variable", name, operator: null, word: [] };
    }
    if (operator !== ":-" && operator !== ":+" && operator !== ":?")
      throw new ExpandFailed(
        operator === ""
          ? "${ is not closed by }"
          : `\${${name} is followed by something else than } :- :+ or :?`,
      );
    this.#at += 2;
    const word = this.#sequence("}", depth + 1);
    this.#at += 1;
    return { type: "variable", name, operator, word };
  }

  #name(): string | null {
    NAME.lastIndex = this.#at;
    const name = NAME.exec(this.#source)?.[0] ?? null;
    this.#at += name?.length ?? 0;
    return name;
  }

  /** The text of a `$(…)` up to its closing parenthesis, over quotes and nested parentheses. */
  #command(): string {
    const start = this.#at;
    let open = 1;
    while (this.#at < this.#source.length) {
      const char = this.#source[this.#at];
      this.#at += 1;
      if (char === "\\") this.#at += 1;
      else if (char === "'") this.#until("'", "a single quote is not closed");
      else if (char === '"') this.#skipDoubleQuoted();
      else if (char === "(") open += 1;
      else if (char === ")") {
        open -= 1;
        if (open === 0) return this.#source.slice(start, this.#at - 1);
      }
    }
    throw new ExpandFailed("$( is not closed by )");
  }

  #skipDoubleQuoted(): void {
    while (this.#at < this.#source.length) {
      const char = this.#source[this.#at];
      this.#at += char === "\\" ? 2 : 1;
      if (char === '"') return;
      if (char === "$" && this.#source[this.#at] === "(") {
        this.#at += 1;
        this.#command();
      }
    }
    throw new ExpandFailed("a double quote is not closed");
  }
}
