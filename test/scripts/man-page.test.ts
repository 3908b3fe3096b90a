import * as fc from "fast-check";
import { expect, test } from "vitest";
import { escaped, manPage } from "../../scripts/build/man-page.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { exitRows } from "../../src/cli/exit-table.ts";
import { COMMON_FLAGS, SELF_FLAGS, type Flag } from "../../src/cli/flags.ts";

const page = manPage("1.2.3");
/** As a reader sees it: without requests, with the escapes taken back. */
const read = (text: string): string =>
  text
    .replace(/^\.(TP|PP|nf|fi|br|RS|RE|nh|ad l)$/gm, "")
    .replace(/\\f[BR]/g, "")
    .replaceAll("\\-", "-")
    .replaceAll("\\&", "")
    .replace(/\\\[u([0-9A-F]+)\]/g, (_, code: string) => String.fromCodePoint(parseInt(code, 16)))
    .replaceAll("\\e", "\\");
const plain = read(page);

test("the man page has the usual sections in their order", () => {
  expect([...page.matchAll(/^\.SH "([A-Z ]+)"$/gm)].map(([, title]) => title)).toEqual([
    "NAME",
    "SYNOPSIS",
    "DESCRIPTION",
    "COMMANDS",
    "OPTIONS",
    "EXIT STATUS",
    "ENVIRONMENT",
    "FILES",
    "EXAMPLES",
  ]);
  expect(page.split("\n")[0]).toBe('.TH CRUSH 1 "" "crush\\-run 1.2.3" "User Commands"');
});

test("the man page has every command, flag, variable, reason and example", () => {
  for (const { name, summary, flags, examples } of COMMANDS) {
    expect(plain).toContain(`crush ${name}`);
    expect(plain).toContain(summary);
    for (const [flag, { describe, twin }] of Object.entries<Flag>({
      ...flags,
      ...COMMON_FLAGS,
      ...SELF_FLAGS,
    })) {
      expect(plain).toMatch(new RegExp(`--(\\[no-\\])?${flag}\\b`));
      expect(plain).toContain(describe);
      expect(plain).toContain(twin ?? flag);
    }
    for (const [line, why] of examples) {
      expect(plain).toContain(line);
      expect(plain).toContain(why);
    }
  }
  for (const { exit, reason, remedy } of exitRows()) {
    expect(plain).toContain(`${exit} (${reason})`);
    expect(plain).toContain(remedy ?? reason);
  }
});

test("only requests that are meant begin a line with a dot or a quote, and no hyphen is left to be typeset", () => {
  for (const line of page.split("\n")) {
    expect(line).toMatch(
      /^(\.(TH|SH|SS) ".*"( .*)?|\.TH .*|\.(TP|PP|nf|fi|br|RS|RE|nh|ad l)|\.B crush|[^.'].*|)$/,
    );
    expect(line).not.toMatch(/(^|[^\\])-/);
  }
  expect(page).toMatch(/^[\n\x20-\x7e]*$/);
});

test("what a person wrote is read as it was written", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (line) => {
      const text = line.replace(/\s/g, " ");
      const roff = escaped(text);
      expect(roff).toMatch(/^[\x20-\x7e]*$/);
      expect(roff.replace(/\\(e|-|\[u[0-9A-F]{4,6}\])/g, "")).not.toContain("\\");
      const back = roff.replace(/\\(?:(e)|(-)|\[u([0-9A-F]{4,6})\])/g, (_, e, hyphen, code) =>
        e !== undefined
          ? "\\"
          : hyphen !== undefined
            ? "-"
            : String.fromCodePoint(parseInt(String(code), 16)),
      );
      expect(back).toBe(text);
    }),
  );
});
