import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { expand, type Expansion } from "../../src/config/expand.ts";
import {
  ExpandFailed,
  parseTemplate,
  runsCommand,
  variablesOf,
} from "../../src/config/template.ts";

const VARIABLES: Readonly<Record<string, string>> = { A: "alpha", B2: "two words * ~", EMPTY: "" };
const signal = new AbortController().signal;
const echoing: Expansion = {
  lookup: (name) => VARIABLES[name],
  run: (command) => Promise.resolve(`<${command}>`),
};
const value = (template: string): Promise<string> => expand(template, echoing, signal);

test.each([
  ["plain text", "plain text"],
  ["", ""],
  ["$A/b", "alpha/b"],
  ["${A}b", "alphab"],
  ["$UNSET-", "-"],
  ["${UNSET:-d$A}", "dalpha"],
  ["${EMPTY:-d}", "d"],
  ["${A:-d}", "alpha"],
  ["${A:+set}", "set"],
  ["${UNSET:+set}", ""],
  ["${A:?no}", "alpha"],
  ["${UNSET:-${EMPTY:-${A}}}", "alpha"],
  ["$B2", "two words * ~"],
  [`'$A'"$A"`, "$Aalpha"],
  [`"a 'b' \\$A \\x"`, "a 'b' $A \\x"],
  ["\\$A\\'", "$A'"],
  ["end\\", "end\\"],
  ["$(pass show x)", "<pass show x>"],
  [`$(echo ")" '(' \\) $(inner))!`, `<echo ")" '(' \\) $(inner)>!`],
  [`$(echo "$(echo ")")")`, `<echo "$(echo ")")">`],
  ["`a \\` b`", "<a ` b>"],
  ["${UNSET:-$(c)}", "<c>"],
])("%j expands to %j", async (template, expected) => {
  expect(await value(template)).toBe(expected);
});

test.each([
  ["a lone $ (write \\$ or '$' for the character itself)", "cost: $"],
  ["a lone $ (write \\$ or '$' for the character itself)", "$1"],
  ["a single quote is not closed", "it's"],
  ["a double quote is not closed", 'say "x'],
  ["a backtick is not closed", "`x"],
  ["$( is not closed by )", "$(echo (x)"],
  ["${ is not closed by }", "${A"],
  ["${ is not closed by }", "${A:-x"],
  ["${ is not followed by the name of a variable", "${}"],
  ["${A is followed by something else than } :- :+ or :?", "${A:=x}"],
  ["UNSET: is not set", "${UNSET:?}"],
  ["UNSET: ask alpha", "${UNSET:?ask $A}"],
  ["more than 50 levels of nesting", "${U:-".repeat(60) + "}".repeat(60)],
])("%s: %j", async (message, template) => {
  await expect(value(template)).rejects.toThrow(new ExpandFailed(message));
});

test("a string without special characters is unchanged", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), async (text) => {
      const plain = text.replaceAll(/[$`\\'"]/g, "");
      expect(await value(plain)).toBe(plain);
    }),
  );
});

test("single quotes and backslashes keep any text as it is", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), async (text) => {
      expect(await value(`'${text.replaceAll("'", `'\\''`)}'`)).toBe(text);
      expect(await value(text.replaceAll(/[$`\\'"]/g, String.raw`\$&`))).toBe(text);
    }),
  );
});

test("any text expands or is refused with ExpandFailed, and runs a command only if runsCommand says so", async () => {
  const special = fc.constantFrom(
    "$",
    "{",
    "}",
    "(",
    ")",
    "'",
    '"',
    "\\",
    "`",
    ":-",
    ":+",
    "A",
    " ",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(special, { maxLength: 14 }), async (pieces) => {
      const template = pieces.join("");
      let ran = false;
      const run = (): Promise<string> => {
        ran = true;
        return Promise.resolve("x");
      };
      const end = await expand(template, { ...echoing, run }, signal).catch(
        (error: unknown) => error,
      );
      expect(typeof end === "string" || end instanceof ExpandFailed).toBe(true);
      expect(ran && !runsCommand(parseTemplate(template))).toBe(false);
    }),
  );
});

test("variablesOf names every variable, those of default values too", () => {
  expect(variablesOf(parseTemplate("$A-${B:-${C:+$D}}$(echo $E)'$F'"))).toEqual([
    "A",
    "B",
    "C",
    "D",
  ]);
});

// An assignment neither splits nor globs: exactly this language, but for a bare blank. One shell judges a whole sample.
test("what the shell makes of an assignment is what we make of it", async () => {
  const atom = fc.constantFrom(
    "x",
    "\\ ",
    "*",
    "$A",
    "${B2}",
    "$UNSET",
    "\\$",
    "\\x",
    "-",
    "\\\\",
    "$(echo hi)",
  );
  const single = fc
    .array(fc.constantFrom("$A", " q", '"', "\\"))
    .map((parts) => `'${parts.join("")}'`);
  const double = fc
    .array(fc.constantFrom("y ", "$A", "${UNSET:-z}", "\\$", "'", "\\\\", "\\y", "`echo hi`"))
    .map((parts) => `"${parts.join("")}"`);
  const braced = fc
    .tuple(
      fc.constantFrom("A", "UNSET", "EMPTY"),
      fc.constantFrom(":-", ":+"),
      fc.oneof(atom, double),
    )
    .map(([name, operator, word]) => `\${${name}${operator}${word}}`);
  const piece = fc.oneof(atom, single, double, braced);
  const template = fc.array(piece, { maxLength: 6 }).map((parts) => parts.join(""));
  const templates = fc.sample(template, 150);
  const script = templates.map((one) => `v=${one}\nprintf '%s\\0' "$v"`).join("\n");
  const env = { ...VARIABLES, PATH: process.env["PATH"] };
  const shell = execFileSync("sh", ["-c", script], { env, encoding: "utf8" })
    .split("\0")
    .slice(0, -1);
  const run = (command: string): Promise<string> => Promise.resolve(command.replace("echo ", ""));
  const ours = templates.map((one) => expand(one, { ...echoing, run }, signal));
  expect(await Promise.all(ours)).toEqual(shell);
});
