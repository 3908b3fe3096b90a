/**
 * Holds the tests against docs/specification.md: npm run spec
 *
 * Every case id (`CAN-10`) has to stand in the title of a test, or in the list of those that cannot exist here; an id in a title has
 * to be a case. Prints what is missing on either side and ends with 1 then.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXCEPTIONS, MOST_EXCEPTIONS } from "./spec/exceptions.ts";

const FAMILIES = "ACC|CAN|QUE|RUN|ERR|PER|DSP|SHU|SSE|CLI|API";
const ROOT = new URL("..", import.meta.url).pathname;

const page = readFileSync(join(ROOT, "docs/specification.md"), "utf8");
const cases = new Set(idsIn(page, new RegExp(`^\\| ((?:${FAMILIES})-\\d+) \\|`, "gm")));
const tested = new Set(
  titles().flatMap((title) => idsIn(title, new RegExp(`\\b((?:${FAMILIES})-\\d+)\\b`, "g"))),
);

const excepted = Object.keys(EXCEPTIONS);
const faults: Readonly<Record<string, readonly string[]>> = {
  "without a test": [...cases].filter((id) => !tested.has(id) && !excepted.includes(id)),
  "not in the specification": [...tested, ...excepted].filter((id) => !cases.has(id)),
  "an exception, and tested": excepted.filter((id) => tested.has(id)),
  "more exceptions than are allowed": excepted.slice(MOST_EXCEPTIONS),
};
const inTitles = [...cases].filter((id) => tested.has(id)).length;
process.stdout.write(
  `${cases.size} cases: ${inTitles} in the title of a test, ${excepted.length} that cannot exist here\n`,
);
for (const [id, reason] of Object.entries(EXCEPTIONS)) process.stdout.write(`  ${id}: ${reason}\n`);
for (const [what, ids] of Object.entries(faults))
  if (ids.length > 0) process.stdout.write(`${what}: ${ids.join(" ")}\n`);
process.exitCode = Object.values(faults).every((ids) => ids.length === 0) ? 0 : 1;

function idsIn(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? "");
}

/** As the runner knows them, with the rows of each table filled in. */
function titles(): string[] {
  const directory = mkdtempSync(join(tmpdir(), "crush-spec-"));
  try {
    const list = join(directory, "tests.json");
    execFileSync("npx", ["vitest", "list", `--json=${list}`], { cwd: ROOT, stdio: "ignore" });
    const tests = JSON.parse(readFileSync(list, "utf8")) as { readonly name: string }[];
    return tests.map(({ name }) => name);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
