import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** `child.ts` as one file: many are started, and TypeScript would take most of their lives. */
export async function bundledChild(): Promise<{ readonly program: string } & Disposable> {
  const directory = mkdtempSync(join(tmpdir(), "crush-many-program-"));
  const program = join(directory, "child.mjs");
  const sqlite = createRequire(import.meta.url).resolve("@photostructure/sqlite");
  await build({
    entryPoints: [fileURLToPath(new URL("child.ts", import.meta.url))],
    outfile: program,
    bundle: true,
    platform: "node",
    target: "node20.19",
    format: "esm",
    alias: { "@photostructure/sqlite": sqlite },
    external: [sqlite],
    logLevel: "warning",
  });
  return {
    program,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
