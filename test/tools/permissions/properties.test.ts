import * as fc from "fast-check";
import { expect, test } from "vitest";
import { commandVerdict, verdict, type Judged, type RuleTexts } from "../../support/verdicts.ts";

const STRICTNESS: readonly Judged[] = ["allow", "ask", "deny"];
const strictness = (one: Judged): number => STRICTNESS.indexOf(one);

const program = fc.constantFrom("git", "rm", "ls", "npm", "env", "sudo", "/usr/bin/git", "./x");
const argument = fc.constantFrom("push", "status", "-rf", "a b", "$x", "$(ls)", "x>y", "'q'", "-c");
const plain = fc
  .tuple(program, fc.array(argument, { maxLength: 3 }))
  .map(([name, rest]) => [name, ...rest].join(" "));
const line = fc
  .tuple(
    plain,
    fc.array(fc.tuple(fc.constantFrom(" && ", "; ", " | ", "\n", " || "), plain), { maxLength: 3 }),
  )
  .map(([first, more]) => first + more.map(([joint, one]) => joint + one).join(""));
const pattern = fc.constantFrom(
  "bash",
  "bash(git *)",
  "bash(git push *)",
  "bash(rm *)",
  "bash(ls)",
  "bash(sudo *)",
  "bash(*)",
  "write",
  "write(src/**)",
  "view",
  "*",
);
const patterns = fc.array(pattern, { maxLength: 3 });
const rules: fc.Arbitrary<RuleTexts> = fc.record({
  allow: patterns,
  narrow: patterns,
  deny: patterns,
  readOnly: fc.boolean(),
});

test("another deny rule never allows more", async () => {
  await fc.assert(
    fc.asyncProperty(rules, pattern, line, async (before, more, text) => {
      const after = { ...before, deny: [...(before.deny ?? []), more] };
      const [was, is] = [await commandVerdict(before, text), await commandVerdict(after, text)];
      expect(strictness(is)).toBeGreaterThanOrEqual(strictness(was));
    }),
    { numRuns: 500 },
  );
});

test("rules of a project that is not trusted, and --read-only, never allow more", async () => {
  await fc.assert(
    fc.asyncProperty(rules, line, async (given, text) => {
      const before = { ...given, narrow: [] };
      const was = strictness(await commandVerdict(before, text));
      expect(strictness(await commandVerdict(given, text))).toBeGreaterThanOrEqual(was);
      const reading = { ...before, readOnly: true };
      expect(strictness(await commandVerdict(reading, text))).toBeGreaterThanOrEqual(was);
    }),
    { numRuns: 500 },
  );
});

test("another part never makes a command line more welcome, wherever it stands", async () => {
  const joint = fc.constantFrom(" && ", "; ", " | ", "\n", " || ", " & ");
  await fc.assert(
    fc.asyncProperty(rules, line, joint, plain, async (given, text, between, more) => {
      const was = strictness(await commandVerdict(given, text));
      for (const longer of [`${text}${between}${more}`, `${more}${between}${text}`])
        expect(strictness(await commandVerdict(given, longer))).toBeGreaterThanOrEqual(was);
    }),
    { numRuns: 500 },
  );
});

const QUOTES: readonly ((letter: string) => string)[] = [
  (letter) => letter,
  (letter) => `\\${letter}`,
  (letter) => `'${letter}'`,
  (letter) => `"${letter}"`,
  (letter) => `$'\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}'`,
  (letter) => `''${letter}`,
  (letter) => `\\\n${letter}`,
];

test("however a command is quoted, its verdict is the same", async () => {
  const words = fc.array(fc.constantFrom("git", "push", "rm", "-rf", "status", "x.y/z"), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(
      rules,
      words,
      fc.infiniteStream(fc.nat(QUOTES.length - 1)),
      async (given, all, picks) => {
        const quoted = all
          .map((word) =>
            Array.from(word, (letter) => QUOTES[picks.next().value ?? 0]?.(letter) ?? letter).join(
              "",
            ),
          )
          .join(" ");
        expect(await commandVerdict(given, quoted)).toBe(
          await commandVerdict(given, all.join(" ")),
        );
      },
    ),
    { numRuns: 500 },
  );
});

test("any text at all is judged without a failure", async () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc
      .array(fc.constantFrom(..."$(){}[]<>|&;'\"`\\\n =#*?!~%^@:-+/azAZ09".split("")), {
        maxLength: 40,
      })
      .map((all) => all.join("")),
  );
  await fc.assert(
    fc.asyncProperty(text, async (command) => {
      const verdicts = await Promise.all([
        commandVerdict({ readOnly: true }, command),
        commandVerdict({ allow: ["bash(git *)"], deny: ["bash(rm *)"] }, command),
      ]);
      for (const one of verdicts) expect(STRICTNESS).toContain(one);
    }),
    { numRuns: 2000 },
  );
});

test("an allowed address has the host of the rule, whatever stands around it", async () => {
  const junk = fc.stringMatching(/^[\w.@:/?#%\\-]{0,12}$/);
  await fc.assert(
    fc.asyncProperty(junk, junk, async (before, after) => {
      const text = `https://${before}docs.example.com${after}`;
      fc.pre(URL.canParse(text));
      const url = new URL(text);
      const allowed = await verdict({ allow: ["fetch(https://docs.example.com*)"] }, "fetch", {
        kind: "url",
        url,
      });
      const host = url.hostname.replace(/\.$/, "");
      expect([allowed, host === "docs.example.com"]).not.toEqual(["allow", false]);
    }),
    { numRuns: 2000 },
  );
});
