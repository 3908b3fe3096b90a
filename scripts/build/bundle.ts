import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { BuildOptions, Plugin } from "esbuild";
import { manPage } from "./man-page.ts";
import { thirdPartyLicenses } from "./third-party-licenses.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const shim = (name: string): string => join(ROOT, "scripts/shims", name);

const COMMON: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: "node",
  target: "node20.19",
  format: "cjs",
  minify: true,
  charset: "ascii", // the loader reads latin1
  lineLimit: 500, // Node prints the whole source line of an uncaught error
  legalComments: "none", // dist/THIRD_PARTY_LICENSES.txt has them all
  logLevel: "warning",
  define: { "process.env.NODE_ENV": '"production"' },
};

/** The AI SDK takes all of zod, and zod the messages of 50 languages: 250 KB that every start would read. */
const onlyEnglishZod: Plugin = {
  name: "only-english-zod",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js";',
    }));
  },
};

/**
 * One CommonJS file with everything, not ES modules with code splitting: only a script that we compile ourselves
 * can have a code cache with the functions that a real run compiles lazily. Measured for one word from the AI SDK on Node 20
 * (floor 64 ms): ES modules 164 ms, this 160 without and 112 with the cache; and loading chunks costs what it saves.
 * What is behind `import()` still runs only when it is reached: esbuild wraps each module in a function.
 */
function bundleOptions(entry: string, outfile: string): BuildOptions {
  return {
    ...COMMON,
    entryPoints: [entry],
    outfile,
    metafile: true,
    plugins: [onlyEnglishZod],
    inject: [shim("headers.ts")],
    supported: { "dynamic-import": false }, // one throws in a script compiled by `vm` on Node 20
    alias: {
      "string-width": shim("string-width.ts"),
      y18n: shim("y18n.ts"),
      "node-gyp-build": shim("node-gyp-build.ts"),
      "@vscode/ripgrep": shim("ripgrep.ts"),
      // Its main file is UMD, whose `require` calls esbuild does not see.
      "jsonc-parser": "jsonc-parser/lib/esm/main.js",
    },
    define: { ...COMMON.define, "import.meta.url": "__bundleUrl" },
    banner: { js: 'var __bundleUrl=require("node:url").pathToFileURL(__filename).href;' },
  };
}

export interface Built {
  readonly buildId: string;
  readonly bytes: number;
  /** Size in the bundle by package or room, largest first. */
  readonly parts: readonly (readonly [string, number])[];
}

/** Writes `crush.cjs`, `loader.cjs`, `build.json`, the man page and the licences into `directory`. */
export async function bundle(
  entry: string,
  directory: string,
  options: { sourcemap: boolean },
): Promise<Built> {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, "crush.cjs");
  const { metafile } = await build({
    ...bundleOptions(entry, file),
    metafile: true,
    sourcemap: options.sourcemap,
  });
  const code = readFileSync(file);
  const buildId = createHash("sha256").update(code).digest("hex").slice(0, 16);

  await build({
    ...COMMON,
    entryPoints: [join(ROOT, "src/cli/loader.ts")],
    outfile: join(directory, "loader.cjs"),
    define: { ...COMMON.define, CRUSH_BUILD_ID: JSON.stringify(buildId) },
  });
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    version: string;
  };
  writeFileSync(
    join(directory, "build.json"),
    `${JSON.stringify({ version, build_id: buildId, built_on: process.version })}\n`,
  );
  writeFileSync(join(directory, "crush.1"), manPage(version));
  const inputs = Object.keys(metafile.inputs).map((input) => join(ROOT, input));
  writeFileSync(join(directory, "THIRD_PARTY_LICENSES.txt"), thirdPartyLicenses(inputs));

  const output = Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint !== undefined);
  return { buildId, bytes: code.length, parts: byPart(output?.inputs ?? {}) };
}

function byPart(
  inputs: Readonly<Record<string, { bytesInOutput: number }>>,
): (readonly [string, number])[] {
  const sizes = new Map<string, number>();
  for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
    const part =
      /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ??
      input.split("/").slice(0, 2).join("/");
    sizes.set(part, (sizes.get(part) ?? 0) + bytesInOutput);
  }
  return [...sizes].sort(([, a], [, b]) => b - a);
}
