/**
 * Deliberate faults in src/session, one at a time in a copy of the tree: for each of them a test has to fail. Ends with 1 when one
 * survives, or when the words that it changes are no longer there.
 *
 *   tsx scripts/mutate.ts [--only WORDS] [--jobs 2]
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { copyTree, type CopiedTree } from "./mutate/copied-tree.ts";
import type { Fault } from "./mutate/fault.ts";
import { FAULTS_OF_ACTING } from "./mutate/faults-of-acting.ts";
import { FAULTS_OF_DECIDING } from "./mutate/faults-of-deciding.ts";
import { FAULTS_OF_RUNNING } from "./mutate/faults-of-running.ts";

const { values } = parseArgs({
  options: { only: { type: "string", default: "" }, jobs: { type: "string", default: "2" } },
});
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MANY = "owners-many.test.ts";

/** By kind, with the test files that know most of it: most faults get no further. */
const KINDS: readonly { readonly faults: readonly Fault[]; readonly first: readonly string[] }[] = [
  { faults: FAULTS_OF_DECIDING, first: ["decide", "cases-drain", "clear-queue"] },
  { faults: FAULTS_OF_ACTING, first: ["dispatcher", "durability", "follow-ups"] },
  { faults: FAULTS_OF_RUNNING, first: ["dispatcher", "owners", "mutants"] },
];
const all = KINDS.flatMap(({ faults, first }) =>
  faults.map((fault) => ({ fault, first: first.map((name) => `test/session/${name}.test.ts`) })),
);
const wanted = all.filter(({ fault }) => fault.name.includes(values.only));

/** Then all others, those that take their time last. */
const SESSION = testsIn("test/session").filter((file) => !file.endsWith(MANY));
const LAST = [testsIn("test/properties"), [`test/session/${MANY}`]];

interface Verdict {
  readonly caughtBy: string | null;
  readonly seconds: number;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
const queue = [...wanted];
const survivors: Fault[] = [];
const sound = await inCopy(async (tree) => {
  const wrong = all.flatMap(({ fault }) => {
    const what = tree.check(fault);
    return what === null ? [] : [`${fault.name}: ${what}`];
  });
  const { caughtBy, seconds } = await tried(tree, null, [SESSION, ...LAST]);
  if (caughtBy !== null) wrong.push(`without a fault, a test fails: ${caughtBy}`);
  process.stdout.write(`without a fault: ${seconds} s\n`);
  for (const line of wrong) process.stdout.write(`${line}\n`);
  return wrong.length === 0;
});
if (sound) await Promise.all(Array.from({ length: Number(values.jobs) }, workThrough));
const caught = wanted.length - survivors.length;
process.stdout.write(sound ? `\n${caught} of ${wanted.length} faults were caught\n` : "");
for (const { name, file } of survivors) process.stdout.write(`SURVIVED ${file}: ${name}\n`);
process.exitCode = sound && survivors.length === 0 ? 0 : 1;

async function workThrough(): Promise<void> {
  await inCopy(async (tree) => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { fault, first } = next;
      const others = SESSION.filter((file) => !first.includes(file));
      const { caughtBy, seconds } = await tried(tree, fault, [first, others, ...LAST]);
      if (caughtBy === null) survivors.push(fault);
      const mark = caughtBy === null ? "SURVIVED" : "caught";
      process.stdout.write(
        `${mark} in ${seconds} s: ${fault.name} (${fault.file})\n    ${caughtBy ?? "by no test"}\n`,
      );
    }
  });
}

async function tried(
  tree: CopiedTree,
  fault: Fault | null,
  stages: readonly (readonly string[])[],
): Promise<Verdict> {
  const began = performance.now();
  let caughtBy: string | null = null;
  for (const files of stages.filter(({ length }) => length > 0))
    caughtBy ??= await tree.firstFailure(fault, files);
  return { caughtBy, seconds: Math.round((performance.now() - began) / 1000) };
}

async function inCopy<T>(work: (tree: CopiedTree) => Promise<T>): Promise<T> {
  using tree = copyTree(ROOT);
  return await work(tree);
}

function testsIn(directory: string): readonly string[] {
  return readdirSync(join(ROOT, directory))
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => `${directory}/${name}`);
}
