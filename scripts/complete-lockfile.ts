/**
 * Adds to package-lock.json the optional packages of other platforms that the registry at hand did not have:
 * tsx scripts/complete-lockfile.ts
 *
 * npm leaves them out of the lock file without a word, and `npm ci` then refuses it as out of sync. Where such a package is wanted, npm
 * fetches it by name and version; elsewhere its platform rules it out.
 */
import { readFileSync, writeFileSync } from "node:fs";

interface LockedPackage {
  readonly version?: string;
  readonly cpu?: readonly string[];
  readonly os?: readonly string[];
  readonly libc?: readonly string[];
  readonly dev?: boolean;
  readonly license?: string;
  readonly optional?: boolean;
  readonly engines?: unknown;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface LockFile {
  packages: Record<string, LockedPackage>;
}

const FILE = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(FILE, "utf8")) as LockFile;
const missing = Object.values(lock.packages).flatMap(({ optionalDependencies = {}, engines }) =>
  Object.entries(optionalDependencies)
    .filter(([name]) => lock.packages[`node_modules/${name}`] === undefined)
    .map(([name, version]) => ({ name, version, engines })),
);

for (const { name, version, engines } of missing) {
  // `@scope/binding-linux-x64-musl`, `@scope/darwin-arm64`
  const [os = "", cpu = "", abi = ""] = name.replace(/^.*\/(binding-)?/, "").split("-");
  const libc =
    os !== "linux" || abi === "" ? {} : { libc: [abi.startsWith("musl") ? "musl" : "glibc"] };
  lock.packages[`node_modules/${name}`] = {
    version,
    cpu: [cpu],
    dev: true,
    license: "MIT",
    optional: true,
    os: [os],
    ...libc,
    ...(engines === undefined ? {} : { engines }),
  };
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en")),
);
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`${missing.length} packages of other platforms added\n`);
