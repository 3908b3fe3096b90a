import { compileSchema } from "../protocol/answer-schema.ts";
import { failure, RunFailed } from "../protocol/ending.ts";
import type { RunOptions } from "../protocol/run-options.ts";
import { answerForm } from "./answer-form.ts";
import { Gates, type GateRules, type GateSetup } from "./gates.ts";

/** Throws `usage` for a schema that is none. */
export function prepareGates({ schema, check, checkRetries }: RunOptions): GateSetup {
  const compiled = schema === undefined ? null : compileSchema(schema);
  if (typeof compiled === "string")
    throw new RunFailed(failure("usage", `options.schema is no schema: ${compiled}`));
  const rules: GateRules = {
    wanted: compiled && { schema: compiled, form: answerForm(compiled.schema) },
    check: check === undefined ? null : { command: check, retries: checkRetries ?? 2 },
  };
  return {
    answerTool: rules.wanted?.form.tool ?? null,
    instructions: rules.wanted?.form.instructions ?? null,
    open: (ports) => new Gates(rules, ports),
  };
}
