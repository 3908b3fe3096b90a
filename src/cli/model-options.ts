import { REASONING_LEVELS, type RunOptions } from "../protocol/run-options.ts";
import { defined } from "./defined.ts";
import type { Flags } from "./flag-values.ts";
import { textOrFile } from "./text-or-file.ts";

/** What the flags ask of the model, and of what it is told before the prompt. Throws `usage`. */
export function modelOptions(flags: Flags): RunOptions {
  return {
    ...defined("model", flags.text("model")),
    ...defined("smallModel", flags.text("small-model")),
    ...defined("reasoningEffort", flags.choice("reasoning-effort", REASONING_LEVELS)),
    ...defined("temperature", flags.upTo("temperature", 2)),
    ...defined("system", textOrFile(flags.named("system"), flags.text("system"))),
    ...defined(
      "appendSystem",
      textOrFile(flags.named("append-system"), flags.text("append-system")),
    ),
  };
}
