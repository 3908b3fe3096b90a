import type { RunOptions } from "../protocol/run-options.ts";
import type { Flags } from "./flag-values.ts";
import { usage } from "./usage.ts";

/** What the answer has to pass before the run ends well. Throws `usage`. */
export async function readAnswerFlags(
  flags: Flags,
): Promise<Pick<RunOptions, "schema" | "check" | "checkRetries">> {
  const file = flags.text("schema");
  const check = flags.text("check");
  const checkRetries = flags.count("check-retries");
  if (file === "") throw usage("--schema is empty", "name a file that holds a JSON Schema");
  if (check !== null && check.trim() === "")
    throw usage("--check is empty", "give a shell command that ends with 0 when all is well");
  if (flags.isGiven("check-retries") && check === null)
    throw usage("--check-retries says nothing without --check", "add --check, or leave it out");
  if (file !== null) {
    if (flags.flag("stream") === true)
      throw usage(
        `--schema and ${flags.named("stream")} exclude each other: the answer is printed when it is checked`,
        "leave out one of them",
      );
    if (flags.flag("allow-empty") === true)
      throw usage(
        `--schema and ${flags.named("allow-empty")} exclude each other: no empty answer follows a schema`,
        "leave out one of them",
      );
  }
  return {
    ...(file === null
      ? {}
      : { schema: (await import("./schema-file.ts")).readSchemaFile(flags.named("schema"), file) }),
    ...(check === null ? {} : { check }),
    ...(checkRetries === null || check === null ? {} : { checkRetries }),
  };
}
