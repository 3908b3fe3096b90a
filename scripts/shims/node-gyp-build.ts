import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/**
 * Stands in for `node-gyp-build` in the bundle, which has the driver's JavaScript in it: the prebuilt library lies where the package says, so
 * no directory has to be searched (4 ms of a cold start). Where it does not, the real one searches.
 */
export default function loadNative(): unknown {
  const fromBundle = createRequire(import.meta.url);
  const manifest = fromBundle.resolve("@photostructure/sqlite/package.json");
  const home = dirname(manifest);
  const libc = existsSync("/etc/alpine-release") ? "musl" : "glibc";
  const prebuilt = join(
    home,
    "prebuilds",
    `${process.platform}-${process.arch}`,
    `@photostructure+sqlite.${libc}.node`,
  );
  if (existsSync(prebuilt)) return fromBundle(prebuilt) as unknown;
  const search = createRequire(manifest)("node-gyp-build") as (home: string) => unknown;
  return search(home);
}
