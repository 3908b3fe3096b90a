import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Stands in for `node-gyp-build` in the bundle, which has the driver's JavaScript in it: the prebuilt library lies where the package says, so
 * no directory has to be searched (4 ms of a cold start). Where it does not, the real one searches.
 */
export default function loadNative(): unknown {
  const fromBundle = createRequire(import.meta.url);
  const libc = existsSync("/etc/alpine-release") ? "musl" : "glibc";
  const prebuilt = join(
    "@photostructure/sqlite/prebuilds",
    `${process.platform}-${process.arch}`,
    `@photostructure+sqlite.${libc}.node`,
  );
  // Installed below us, or beside us.
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  for (const modules of [join(root, "node_modules"), dirname(root)]) {
    const library = join(modules, prebuilt);
    if (existsSync(library)) return fromBundle(library) as unknown;
  }
  const manifest = fromBundle.resolve("@photostructure/sqlite/package.json");
  const search = createRequire(manifest)("node-gyp-build") as (home: string) => unknown;
  return search(dirname(manifest));
}
