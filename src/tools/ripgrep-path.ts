import { createRequire } from "node:module";

/**
 * The search program that came with the package, else the `rg` of the PATH. Resolved here and not by importing
 * `@vscode/ripgrep`: that is an ES module, which a bundle in CommonJS can only `require` with a warning on stderr.
 */
export function ripgrepPath(): string {
  try {
    const require = createRequire(import.meta.url);
    const nearby = createRequire(require.resolve("@vscode/ripgrep"));
    return nearby.resolve(`@vscode/ripgrep-${process.platform}-${process.arch}/bin/rg`);
  } catch {
    return "rg"; // no build for this platform
  }
}
