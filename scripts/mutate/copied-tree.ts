import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Fault } from "./fault.ts";

/** A copy of what the tests need, for faults; the working tree is never touched. Gone at the end of its scope. */
export interface CopiedTree extends Disposable {
  /** Null when the words stand there once; else what is wrong with the fault. */
  check(fault: Fault): string | null;
  /** Runs test files with the fault, or without one; the title of the first test that failed, null when all passed. */
  firstFailure(fault: Fault | null, files: readonly string[]): Promise<string | null>;
}

const COPIED = [
  "src",
  "test",
  "scripts",
  "docs",
  "package.json",
  "tsconfig.json",
  "vitest.config.ts",
];
/** A fault may make a test wait for ever. */
const LONGEST_MS = 180_000;

export function copyTree(root: string): CopiedTree {
  const directory = mkdtempSync(join(tmpdir(), "crush-mutate-"));
  for (const name of COPIED) cpSync(join(root, name), join(directory, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  process.once("exit", remove); // also when somebody interrupts us
  const pathOf = ({ file }: Fault): string => join(directory, "src/session", file);
  return {
    check: (fault) => {
      const times = readFileSync(pathOf(fault), "utf8").split(fault.find).length - 1;
      return times === 1 ? null : `its words stand ${times} times in ${fault.file}`;
    },
    firstFailure: async (fault, files) => {
      if (fault === null) return await runTests(directory, files);
      const path = pathOf(fault);
      const whole = readFileSync(path, "utf8");
      writeFileSync(
        path,
        whole.replace(fault.find, () => fault.put),
      );
      try {
        return await runTests(directory, files);
      } finally {
        writeFileSync(path, whole);
      }
    },
    [Symbol.dispose]: () => {
      process.off("exit", remove);
      remove();
    },
  };
}

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly title: string }[];
  }[];
}

async function runTests(cwd: string, files: readonly string[]): Promise<string | null> {
  const report = join(cwd, "report.json");
  rmSync(report, { force: true });
  const vitest = join(cwd, "node_modules/vitest/vitest.mjs");
  const args = ["run", "--project", "unit", "--bail", "1", "--maxWorkers", "1"];
  const output = ["--reporter", "json", "--outputFile", report];
  // A group of its own: with the runner go its workers, and what they started.
  const child = spawn(process.execPath, [vitest, ...args, ...output, ...files], {
    cwd,
    stdio: "ignore",
    detached: true,
  });
  const kill = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  };
  process.prependOnceListener("exit", kill); // before its directory goes
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    kill();
  }, LONGEST_MS);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  clearTimeout(timer);
  process.off("exit", kill);
  if (status === 0) return null;
  if (late) return "(the tests did not end)";
  return failedTitle(report) ?? "(the tests broke outside of a test)";
}

function failedTitle(report: string): string | null {
  try {
    const { testResults } = JSON.parse(readFileSync(report, "utf8")) as Report;
    const all = testResults.flatMap(({ assertionResults }) => assertionResults);
    return all.find(({ status }) => status === "failed")?.title ?? null;
  } catch {
    return null; // it was not even written
  }
}
