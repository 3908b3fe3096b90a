import { eventSchema, resultSchema } from "../run/output-schema.ts";
import { printOut } from "./print-out.ts";
import { usage } from "./usage.ts";

/** `crush run --print-schema [result|events]`. */
export async function printSchema(words: readonly string[]): Promise<number> {
  const [what = "result", ...more] = words;
  if (more.length > 0 || (what !== "result" && what !== "events"))
    throw usage(
      `--print-schema takes no prompt, and ${JSON.stringify(words.join(" "))} is no schema`,
      "say result or events after it",
    );
  const schema = what === "result" ? resultSchema() : eventSchema();
  return await printOut(`${JSON.stringify(schema, null, 2)}\n`);
}
