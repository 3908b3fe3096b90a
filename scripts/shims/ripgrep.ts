import { createRequire } from "node:module";

/**
 * Stands in for `@vscode/ripgrep` in the bundle: the package is an ES module that only looks up this path, and
 * requiring one makes Node 20 print a warning. The look-up starts at the package, where its binary is installed beside it.
 */
const fromRipgrep = createRequire(createRequire(import.meta.url).resolve("@vscode/ripgrep"));
const executable = process.platform === "win32" ? "rg.exe" : "rg";

export const rgPath: string = fromRipgrep.resolve(
  `@vscode/ripgrep-${process.platform}-${process.arch}/bin/${executable}`,
);
