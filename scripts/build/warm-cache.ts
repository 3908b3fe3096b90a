import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Runs the built program once on the offline model and keeps the code cache of that run as `crush.cache`, so that
 * the first run after `npm ci` is a fast one. Returns why there is none, or undefined.
 */
export function warmCache(directory: string): string | undefined {
  const home = mkdtempSync(join(tmpdir(), "crush-build-"));
  try {
    const work = join(home, "work");
    mkdirSync(work);
    const run = spawnSync(
      process.execPath,
      [join(directory, "loader.cjs"), "run", "-q", "-m", "demo/offline", "hello"],
      {
        cwd: work,
        // Nothing of the builder's: neither a configuration nor flags of Node.
        env: { PATH: process.env["PATH"], HOME: home, XDG_CACHE_HOME: home, NO_COLOR: "1" },
        stdio: ["ignore", "pipe", "pipe"],
        encoding: "utf8",
        timeout: 30_000,
      },
    );
    if (run.status !== 0) return `the run ended with ${run.status ?? run.signal}: ${run.stderr}`;
    const caches = join(home, "crush-run");
    const [cache] = readdirSync(caches);
    if (cache === undefined) return "the run kept no cache";
    copyFileSync(join(caches, cache), join(directory, "crush.cache"));
    chmodSync(join(directory, "crush.cache"), 0o644); // a user's cache is private, this one is for everyone
    return undefined;
  } catch (error) {
    return String(error);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
