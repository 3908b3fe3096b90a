import { LONGEST_TIMER_MS, parseAge, parseDuration } from "../shared/duration.ts";
import type { Flag } from "./flags.ts";
import { booleanOf } from "./tokens.ts";
import { usage } from "./usage.ts";

type Env = Readonly<Record<string, string | undefined>>;
type Parsed = Readonly<Record<string, unknown>>;

/** The flags of one command with their twins; every accessor throws `usage` for a value that makes no sense. */
export class Flags {
  readonly #parsed: Parsed;
  readonly #table: Readonly<Record<string, Flag>>;
  readonly #restore: (word: string) => string;
  readonly #env: Env;

  constructor(
    parsed: Parsed,
    table: Readonly<Record<string, Flag>>,
    restore: (word: string) => string,
    env: Env,
  ) {
    this.#parsed = parsed;
    this.#table = table;
    this.#restore = restore;
    this.#env = env;
  }

  /** As whoever gave it knows it: `--name`, or the variable that holds it. */
  named(name: string): string {
    const variable =
      this.isGiven(name) || this.#twin(name) === null ? undefined : this.#table[name]?.twin;
    return variable ?? `--${name}`;
  }

  /** On the command line, not only in the environment. */
  isGiven(name: string): boolean {
    return this.#parsed[name] !== undefined;
  }

  text(name: string): string | null {
    const given = this.#parsed[name];
    if (Array.isArray(given))
      throw usage(`--${name} was given ${given.length} times`, `give --${name} once`);
    if (typeof given === "string") return this.#restore(given);
    return this.#twin(name);
  }

  /** Of a flag that may be repeated, in the order given; its twin holds one. */
  texts(name: string): readonly string[] {
    const given = this.#parsed[name];
    const list: readonly unknown[] = Array.isArray(given) ? given : [given];
    const texts = list.filter((one) => typeof one === "string").map(this.#restore);
    if (texts.length > 0) return texts;
    const twin = this.#twin(name);
    return twin === null ? [] : [twin];
  }

  /** One of these words; null when nothing was said. */
  choice<T extends string>(name: string, words: readonly T[]): T | null {
    const text = this.text(name);
    if (text === null) return null;
    const word = words.find((one) => one === text);
    if (word !== undefined) return word;
    const last = words.at(-1) ?? "";
    throw usage(
      `${this.named(name)} is ${JSON.stringify(text)}`,
      `use ${[words.slice(0, -1).join(", "), last].filter((part) => part !== "").join(" or ")}`,
    );
  }

  /** Null when nothing was said. */
  flag(name: string): boolean | null {
    const given = this.#parsed[name];
    if (Array.isArray(given)) return given.at(-1) === true;
    if (typeof given === "boolean") return given;
    const twin = this.#twin(name);
    if (twin === null) return null;
    const on = booleanOf(twin);
    if (on !== null) return on;
    throw usage(`${this.named(name)} is ${JSON.stringify(twin)}`, "set it to true or false");
  }

  /** Milliseconds; null when nothing was said. */
  duration(name: string): number | null {
    const text = this.text(name);
    if (text === null) return null;
    const ms = parseDuration(text);
    if (ms !== null) return Math.min(ms, LONGEST_TIMER_MS);
    throw usage(
      `${this.named(name)} is ${JSON.stringify(text)}, which is no duration`,
      "use seconds, or 250ms, 30s, 5m, 1h30m",
    );
  }

  /** Milliseconds; null when nothing was said. */
  age(name: string): number | null {
    const text = this.text(name);
    if (text === null) return null;
    const ms = parseAge(text);
    if (ms !== null) return ms;
    throw usage(
      `${this.named(name)} is ${JSON.stringify(text)}, which is no duration`,
      "use 30d, 12w, 36h, or 1d12h",
    );
  }

  count(name: string): number | null {
    const text = this.text(name);
    if (text === null) return null;
    if (/^\d{1,9}$/.test(text)) return Number(text);
    throw usage(
      `${this.named(name)} is ${JSON.stringify(text)}, which is no whole number`,
      "use 0 or a positive whole number",
    );
  }

  /** A number from 0 to `most`. */
  upTo(name: string, most: number): number | null {
    const text = this.text(name);
    if (text === null) return null;
    const number = /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : Infinity;
    if (number <= most) return number;
    throw usage(
      `${this.named(name)} is ${JSON.stringify(text)}, which is no number from 0 to ${most}`,
      `use one from 0 to ${most}, such as 0.5`,
    );
  }

  dollars(name: string): number | null {
    const text = this.text(name);
    if (text === null) return null;
    if (/^\d{1,9}(\.\d{1,9})?$/.test(text)) return Number(text);
    throw usage(
      `${this.named(name)} is ${JSON.stringify(text)}, which is no amount of US dollars`,
      "use a number without a sign, such as 0.50 or 2",
    );
  }

  #twin(name: string): string | null {
    const variable = this.#table[name]?.twin;
    const value = variable === undefined ? undefined : this.#env[variable];
    return value === undefined || value === "" ? null : value;
  }
}
