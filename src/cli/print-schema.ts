import { eventSchema, resultSchema } from "../run/output-schema.ts";
import type { Flags } from "./flag-values.ts";
import { printOut } from "./print-out.ts";
import { RUN_FLAGS } from "./run-flags.ts";
import { usage } from "./usage.ts";

/** `crush run --print-schema [result|events]`. */
export async function printSchema(words: readonly string[], flags: Flags): Promise<number> {
  const beside = Object.keys(RUN_FLAGS).find(
    (name) => name !== "print-schema" && flags.isGiven(name),
  );
  if (beside !== undefined)
    throw usage(
      `--print-schema and --${beside} exclude each other: there is no run`,
      `leave --${beside} out`,
    );
  const [what = "result", ...more] = words;
  if (more.length > 0 || (what !== "result" && what !== "events"))
    throw usage(
      `--print-schema takes no prompt, and ${JSON.stringify(words.join(" "))} is no schema`,
      "say result or events after it",
    );
  const schema = what === "result" ? resultSchema() : eventSchema();
  return await printOut(`${JSON.stringify(schema, null, 2)}\n`);
}
