import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { bashCompletion } from "../../src/cli/completion/bash.ts";
import { allFlags, commandTree } from "../../src/cli/completion/command-tree.ts";
import { fishCompletion } from "../../src/cli/completion/fish.ts";
import { zshCompletion } from "../../src/cli/completion/zsh.ts";
import { COMMANDS } from "../../src/cli/commands.ts";

const tree = commandTree();
const SCRIPTS = [
  ["bash", bashCompletion(tree)],
  ["zsh", zshCompletion(tree)],
  ["fish", fishCompletion(tree)],
] as const;

describe.each(SCRIPTS)("the script for %s", (shell, script) => {
  test("has every command, every alias and every flag", () => {
    for (const { name, aliases } of COMMANDS)
      for (const word of [...name.split(" "), ...aliases])
        expect(script).toMatch(new RegExp(`\\b${word}\\b`));
    for (const { spellings } of allFlags(tree))
      for (const spelling of spellings) {
        const letter = spelling.startsWith("--") ? null : spelling.slice(1);
        const form =
          shell !== "fish"
            ? spelling
            : letter === null
              ? `-l ${spelling.slice(2)} `
              : `-s ${letter} `;
        expect([spelling, script.includes(form)]).toEqual([spelling, true]);
      }
  });

  test("is plain text that starts no program of ours", () => {
    expect(script).toMatch(/^[\t\n\x20-\x7e]*$/);
    expect(script).not.toMatch(/(\$\(|`|\()\s*(command )?crush\b/);
    expect(script.endsWith("\n")).toBe(true);
  });
});

/** Whether quotes are closed and brackets balanced outside of them and of comments. */
function isBalanced(script: string, escaped: RegExp): boolean {
  const bare = script
    .replace(escaped, "''")
    .replace(/(^|\s)#.*$/gm, "")
    .replace(/"(\\.|[^"\\])*"/g, '""');
  const count = (char: string): number => bare.split(char).length - 1;
  return count("'") % 2 === 0 && count('"') % 2 === 0 && count("{") === count("}");
}

test("the script for zsh closes what it opens, and ends each list of arguments", () => {
  const script = zshCompletion(tree);
  expect(isBalanced(script, /'[^']*'|\\'/g)).toBe(true);
  expect(script).not.toMatch(/\\\n\s*\n/); // a continued line that is not continued
  expect(script).toMatch(/^#compdef crush\n/);
  for (const [spec] of script.matchAll(/'[(*][^\n]*\[[^\n]*\][^\n]*'/g))
    expect(spec).toMatch(
      /^'(\*|\([^)]+\))-{1,2}[\w-]+[=+]?\[(\\.|[^\]\\])*\](:[A-Z]+:[^:]*)?' ?\\?$/,
    );
});

test("the script for fish closes what it opens, and each line of it is a whole command", () => {
  const script = fishCompletion(tree);
  expect(isBalanced(script, /'(\\.|[^'\\])*'/g)).toBe(true);
  const lines = script.split("\n").filter((line) => line.startsWith("complete "));
  for (const line of lines)
    expect(line).toMatch(
      /^complete -c crush( -f$| (-n '(\\.|[^'\\])*' )?(-a \w+|(-s \w )?-l [\w-]+)( -x| -rF| -xa '[^']*')?( -d '(\\.|[^'\\])*')?$)/,
    );
  const opens = script.match(/^\s*(function|if|for|while|switch)\b/gm)?.length ?? 0;
  expect(script.match(/^\s*end$/gm)?.length).toBe(opens);
});

test("the script for bash is one that bash accepts", () => {
  const input = bashCompletion(tree);
  expect(execFileSync("bash", ["-n"], { input, stdio: ["pipe", "pipe", "pipe"] }).toString()).toBe(
    "",
  );
});
