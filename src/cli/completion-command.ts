import { bashCompletion } from "./completion/bash.ts";
import { commandTree } from "./completion/command-tree.ts";
import { fishCompletion } from "./completion/fish.ts";
import { zshCompletion } from "./completion/zsh.ts";
import { printOut } from "./print-out.ts";
import { usage } from "./usage.ts";

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };
const isShell = (name: string): name is keyof typeof SHELLS => Object.hasOwn(SHELLS, name);

/** `crush completion`: a script for a shell, made from the tables of commands and flags. */
export async function completionCommand(shell: string): Promise<number> {
  if (!isShell(shell))
    throw usage(
      `crush completion knows no shell ${JSON.stringify(shell)}`,
      `it is one of: ${Object.keys(SHELLS).join(", ")}`,
    );
  return await printOut(SHELLS[shell](commandTree()));
}
