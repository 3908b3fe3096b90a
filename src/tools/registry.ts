import { bashTool } from "./bash.ts";
import { editTool } from "./edit.ts";
import { fetchTool } from "./fetch.ts";
import { globTool } from "./glob.ts";
import { grepTool } from "./grep.ts";
import { lsTool } from "./ls.ts";
import type { Tool } from "./tool.ts";
import { viewTool } from "./view.ts";
import { writeTool } from "./write.ts";

/** In the order in which a model is told of them, so that a provider's prompt cache holds. */
const ALL: readonly Tool[] = [
  viewTool,
  lsTool,
  globTool,
  grepTool,
  editTool,
  writeTool,
  bashTool,
  fetchTool,
];

/** The tools of the program itself, without those that `options.disabled_tools` names. */
export function builtinTools(options: { readonly disabled: ReadonlySet<string> }): readonly Tool[] {
  return ALL.filter((tool) => !options.disabled.has(tool.name));
}
