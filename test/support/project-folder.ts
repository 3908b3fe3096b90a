import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { RunFailed, type RunFailure } from "../../src/protocol/ending.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** A home directory and a git worktree in a temp dir; nothing of the real user's is seen. Gone at the end of its scope. */
export interface ProjectFolder extends Disposable {
  readonly home: string;
  readonly root: string;
  /** Writes a file (an object as JSON), making its directories. Relative paths are in the worktree. Returns its path. */
  write(path: string, content: string | object): string;
  load(options?: LoadOverrides): Promise<Config>;
  /** Loads and expects a failure: its reason, message and remedy, with the folder's own path written as `ROOT` or `HOME`. */
  failure(options?: LoadOverrides): Promise<FailureText>;
  /** A text with the folder's own paths written as `ROOT` and `HOME`. */
  plain(text: string): string;
}

interface LoadOverrides {
  readonly env?: Env;
  readonly cwd?: string;
  readonly dataDir?: string;
  readonly trustConfig?: boolean;
  readonly isolated?: boolean;
  readonly configFile?: string;
}

interface FailureText {
  readonly reason: string;
  readonly message: string;
  readonly remedy: string | null;
}

export function projectFolder(): ProjectFolder {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "crush-config-")));
  const home = join(base, "home");
  const root = join(base, "project");
  mkdirSync(home);
  mkdirSync(join(root, ".git"), { recursive: true });
  const plain = (text: string): string => text.replaceAll(root, "ROOT").replaceAll(home, "HOME");
  const load = ({ env, cwd, ...more }: LoadOverrides = {}): Promise<Config> =>
    loadConfig({
      cwd: cwd ?? root,
      env: { HOME: home, PATH: process.env["PATH"], ...env },
      signal: new AbortController().signal,
      ...more,
    });
  return {
    home,
    root,
    plain,
    load,
    write(path, content) {
      const full = path.startsWith("/") ? path : join(root, path);
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, typeof content === "string" ? content : JSON.stringify(content));
      return full;
    },
    async failure(options) {
      return textOf(await failureOf(load(options)), plain);
    },
    [Symbol.dispose]: () => rmSync(base, { recursive: true, force: true }),
  };
}

export const textOf = (
  { reason, message, remedy }: RunFailure,
  plain: (text: string) => string = (text) => text,
): FailureText => ({ reason, message: plain(message), remedy: remedy && plain(remedy) });

export async function failureOf(promise: Promise<unknown>): Promise<RunFailure> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof RunFailed) return error.failure;
    throw error;
  }
  throw new Error("expected a RunFailed");
}
