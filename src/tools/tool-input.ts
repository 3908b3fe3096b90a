import type { Json, JsonObject } from "../shared/json.ts";

type Checked<T> = { readonly value: T } | { readonly problem: string };

/** One field of a tool's input: what the model is told, and what we accept. */
interface Field<T> {
  readonly schema: JsonObject;
  readonly required: boolean;
  readonly check: (value: Json) => Checked<T>;
}

type Fields = Readonly<Record<string, Field<unknown>>>;
type Values<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

/** The input of one tool; its JSON Schema and its check come from the same fields. */
export interface InputShape<T> {
  readonly schema: JsonObject;
  /** The typed input, or one line that names the field and what is wrong with it. */
  readonly read: (input: JsonObject) => Checked<T>;
}

export function inputShape<F extends Fields>(fields: F): InputShape<Values<F>> {
  const entries = Object.entries(fields);
  return {
    schema: {
      type: "object",
      properties: Object.fromEntries(entries.map(([name, field]) => [name, field.schema])),
      required: entries.filter(([, field]) => field.required).map(([name]) => name),
      additionalProperties: false,
    },
    read: (input) => {
      const stranger = Object.keys(input).find((name) => !Object.hasOwn(fields, name));
      if (stranger !== undefined)
        return {
          problem: `unknown field \`${stranger}\`; the fields are ${Object.keys(fields).join(", ")}`,
        };
      const values: Record<string, unknown> = {};
      for (const [name, field] of entries) {
        const value = input[name];
        // Models write null for "not given".
        if (value === undefined || value === null) {
          if (field.required) return { problem: `field \`${name}\` is missing` };
          continue;
        }
        const checked = field.check(value);
        if ("problem" in checked) return { problem: `field \`${name}\` ${checked.problem}` };
        values[name] = checked.value;
      }
      return { value: values as Values<F> };
    },
  };
}

export const optional = <T>(field: Field<T>): Field<T | undefined> => ({
  ...field,
  required: false,
});

export const text = (description: string): Field<string> => ({
  schema: { type: "string", description },
  required: true,
  check: (value) =>
    typeof value === "string" ? { value } : { problem: `must be a string, not ${kindOf(value)}` },
});

/** Text that says something: not empty, not only white space. */
export const words = (description: string): Field<string> => ({
  schema: { type: "string", description, minLength: 1 },
  required: true,
  check: (value) => {
    if (typeof value !== "string") return { problem: `must be a string, not ${kindOf(value)}` };
    return value.trim() === "" ? { problem: "must not be empty" } : { value };
  },
});

export const choice = <const T extends string>(
  values: readonly T[],
  description: string,
): Field<T> => ({
  schema: { type: "string", enum: values, description },
  required: true,
  check: (value) => {
    const chosen = values.find((one) => one === value);
    return chosen === undefined
      ? { problem: `must be one of ${values.join(", ")}` }
      : { value: chosen };
  },
});

export const integer = (description: string, minimum: number, maximum: number): Field<number> => ({
  schema: { type: "integer", minimum, maximum, description },
  required: true,
  check: (value) => {
    // "10" for 10 is a common slip, and means nothing else.
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    return typeof number === "number" &&
      Number.isInteger(number) &&
      number >= minimum &&
      number <= maximum
      ? { value: number }
      : { problem: `must be a whole number from ${minimum} to ${maximum}` };
  },
});

export const flag = (description: string): Field<boolean> => ({
  schema: { type: "boolean", description },
  required: true,
  check: (value) => (typeof value === "boolean" ? { value } : { problem: `must be true or false` }),
});

export const texts = (description: string): Field<readonly string[]> => ({
  schema: { type: "array", items: { type: "string" }, description },
  required: true,
  check: (value) =>
    Array.isArray(value) && value.every((one) => typeof one === "string")
      ? { value }
      : { problem: "must be a list of strings" },
});

function kindOf(value: Json): string {
  if (Array.isArray(value)) return "a list";
  return value === null ? "null" : `a ${typeof value}`;
}
