import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { constants } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { ContextFile } from "./config.ts";
import { isInside } from "./places.ts";

const MAX_FILES = 100;
const MAX_FILE_BYTES = 256 * 1024;
const MAX_TOTAL_BYTES = 1024 * 1024;

/** Always looked for in the working directory. protocol.md section 10.5. */
const DEFAULT_PATHS = [
  ".github/copilot-instructions.md",
  ".cursorrules",
  ".cursor/rules/",
  "CLAUDE.md",
  "CLAUDE.local.md",
  "GEMINI.md",
  "gemini.md",
  "crush.md",
  "crush.local.md",
  "Crush.md",
  "Crush.local.md",
  "CRUSH.md",
  "CRUSH.local.md",
  "AGENTS.md",
  "agents.md",
  "Agents.md",
];

export interface ContextPath {
  readonly path: string;
  /** Whether it may lead out of the project. */
  readonly trusted: boolean;
}

export interface ContextQuestion {
  readonly cwd: string;
  /** The worktree's root: what lies under it comes with the code. */
  readonly root: string;
  readonly home: string | null;
  readonly userConfig: string | null;
  /** False: only what a configuration names. */
  readonly usual: boolean;
  readonly contextPaths: readonly ContextPath[];
  readonly globalContextPaths: readonly ContextPath[];
  readonly lookup: (name: string) => string | undefined;
}

/**
 * The files for the system prompt: the user's own first, then the project's sorted by path. A file is taken once, by its real path
 * and by its path in lower case. Missing files are passed over; cannot throw.
 */
export function contextFiles(question: ContextQuestion): {
  readonly files: readonly ContextFile[];
  readonly warnings: readonly string[];
} {
  const { userConfig, usual } = question;
  const own: readonly ContextPath[] =
    userConfig === null || !usual
      ? []
      : [join(userConfig, "CRUSH.md"), join(dirname(userConfig), "AGENTS.md")].map((path) => ({
          path,
          trusted: true,
        }));
  const project = [
    ...(usual ? DEFAULT_PATHS : []).map((path) => ({ path, trusted: false })),
    ...question.contextPaths,
  ];
  const collector = new Collector(question);
  for (const path of [...own, ...sorted(question.globalContextPaths)]) collector.add(path);
  for (const path of sorted(project)) collector.add(path);
  return collector;
}

const sorted = (paths: readonly ContextPath[]): readonly ContextPath[] =>
  [...paths].sort((a, b) =>
    a.path === b.path ? Number(b.trusted) - Number(a.trusted) : a.path < b.path ? -1 : 1,
  );

class Collector {
  readonly files: ContextFile[] = [];
  readonly warnings: string[] = [];
  readonly #question: ContextQuestion;
  readonly #taken = new Set<string>();
  #bytes = 0;
  #full = false;

  constructor(question: ContextQuestion) {
    this.#question = question;
  }

  add({ path, trusted }: ContextPath): void {
    const full = this.#absolute(path);
    if (full !== null) this.#visit(full, trusted);
  }

  /** `~` and a leading `$VAR` expanded. Null when they stand for nothing. */
  #absolute(path: string): string | null {
    const { cwd, home, lookup } = this.#question;
    if (path === "~" || path.startsWith("~/"))
      return home === null ? null : join(home, path.slice(1));
    const [whole, bare, braced] = /^\$(?:(\w+)|\{(\w+)\})/.exec(path) ?? [];
    if (whole === undefined) return resolve(cwd, path);
    const value = lookup(bare ?? braced ?? "");
    return value ? resolve(cwd, value + path.slice(whole.length)) : null;
  }

  #visit(path: string, trusted: boolean): void {
    if (this.#full) return;
    try {
      const real = realpathSync(path);
      if (!trusted && !isInside(this.#question.root, real)) {
        this.#warn(path, "lies outside the project; it is not read");
        return;
      }
      const about = statSync(real);
      if (about.isDirectory()) {
        for (const entry of readdirSync(path, { withFileTypes: true }).sort(byName))
          // A link to a directory may lead round in a circle.
          if (entry.isDirectory() || entry.isFile()) this.#visit(join(path, entry.name), trusted);
      } else if (about.isFile()) this.#take(path, real);
      else this.#warn(path, "is not a file; it is not read");
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
      if (code !== "ENOENT" && code !== "ENOTDIR") this.#warn(path, `cannot be read (${code})`);
    }
  }

  #take(path: string, real: string): void {
    const keys = [real, path.toLowerCase()];
    if (keys.some((key) => this.#taken.has(key))) return;
    if (this.files.length >= MAX_FILES) {
      this.#stop(path, `is one more than ${MAX_FILES}`);
      return;
    }
    const { content, bytes } = readHead(real);
    if (this.#bytes + Math.min(bytes, MAX_FILE_BYTES) > MAX_TOTAL_BYTES) {
      this.#stop(path, "would make more than 1 MiB of them");
      return;
    }
    this.#bytes += Math.min(bytes, MAX_FILE_BYTES);
    for (const key of keys) this.#taken.add(key);
    if (bytes > MAX_FILE_BYTES) this.#warn(path, "is larger than 256 KiB; its end is cut off");
    const note = bytes > MAX_FILE_BYTES ? `\n[cut off: ${bytes} bytes in all]\n` : "";
    this.files.push({ path: this.#shown(path), content: content + note });
  }

  #stop(path: string, why: string): void {
    this.#full = true;
    this.#warn(path, `${why}; it and those after it are not read`);
  }

  #warn(path: string, what: string): void {
    this.warnings.push(`context file ${this.#shown(path)} ${what}`);
  }

  #shown(path: string): string {
    const { cwd } = this.#question;
    return isInside(cwd, path) ? relative(cwd, path) || "." : path;
  }
}

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);

function readHead(path: string): { readonly content: string; readonly bytes: number } {
  // Without O_NONBLOCK a FIFO put there since we looked would keep us for ever.
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const bytes = fstatSync(descriptor).size;
    const buffer = Buffer.alloc(Math.min(bytes, MAX_FILE_BYTES));
    const read = readSync(descriptor, buffer, 0, buffer.length, 0);
    return { content: buffer.toString("utf8", 0, read), bytes };
  } finally {
    closeSync(descriptor);
  }
}
