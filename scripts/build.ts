/**
 * Builds `dist/`: tsx scripts/build.ts [--sourcemap] [--sizes] [--entry FILE] [--out DIRECTORY]
 *
 *   crush.cjs                 the whole program (scripts/build/bundle.ts says why one file)
 *   loader.cjs                starts it with the code cache (src/cli/loader.ts)
 *   crush.cache               the code cache of one run, for this version of Node
 *   crush.1                   the man page (scripts/build/man-page.ts)
 *   build.json                version and build id
 *   THIRD_PARTY_LICENSES.txt  notices of everything that is bundled
 */
import { chmodSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bundle, ROOT } from "./build/bundle.ts";
import { warmCache } from "./build/warm-cache.ts";

const { values } = parseArgs({
  options: {
    sourcemap: { type: "boolean", default: false },
    sizes: { type: "boolean", default: false },
    entry: { type: "string", default: join(ROOT, "src/cli/main.ts") },
    out: { type: "string", default: join(ROOT, "dist") },
  },
});
const out = resolve(values.out);

// Built beside its place and moved there whole: a run that starts meanwhile sees one build or the other.
const fresh = mkdtempSync(join(dirname(out), ".dist-"));
try {
  const built = await bundle(resolve(values.entry), fresh, { sourcemap: values.sourcemap });
  const cold = warmCache(fresh);
  if (cold !== undefined) process.stderr.write(`warning: no code cache is shipped: ${cold}\n`);
  chmodSync(fresh, 0o755); // mkdtemp makes it private; an installation is for everyone
  rmSync(out, { recursive: true, force: true });
  renameSync(fresh, out);
  process.stderr.write(`dist: build ${built.buildId}, ${(built.bytes / 1024).toFixed(0)} KiB\n`);
  if (values.sizes)
    for (const [part, bytes] of built.parts)
      process.stdout.write(`${(bytes / 1024).toFixed(1).padStart(9)} KiB  ${part}\n`);
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
