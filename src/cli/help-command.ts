import { helpText } from "./help.ts";
import type { HelpPart } from "./parse.ts";
import { printOut } from "./print-out.ts";

/** `crush help`, `--help`, `--help-all`, `--help-exit`. */
export const helpCommand = async (words: readonly string[], part: HelpPart): Promise<number> =>
  await printOut(`${(await helpText(words, part)).trimEnd()}\n`);
