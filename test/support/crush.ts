import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The built executable. */
export const CRUSH = fileURLToPath(new URL("../../bin/crush", import.meta.url));

/** The four wire formats, by the name of the API. */
export const FAMILIES = ["chat", "responses", "anthropic", "gemini"] as const;
export type WireFamily = (typeof FAMILIES)[number];

interface Dialect {
  readonly type: string;
  readonly responses?: boolean;
  /** What its clients append to the server's address. */
  readonly path: string;
}

const DIALECTS: Readonly<Record<WireFamily, Dialect>> = {
  chat: { type: "openai-compat", path: "/v1" },
  responses: { type: "openai", responses: true, path: "/v1" },
  anthropic: { type: "anthropic", path: "" },
  gemini: { type: "google", path: "" },
};

/** The key in every configuration made here: it must never be seen in an output. */
export const FAKE_KEY = "sk-fake-0123456789abcdef";

export interface PlaceOptions {
  /** Where the provider `fake` with its one model `fake/model`, the default, is found, and what it speaks. */
  readonly provider?: { readonly url: string; readonly family?: WireFamily };
  /** Instead of the one made for `provider`: the user's crush.json, an object or the bytes of the file. */
  readonly configuration?: object | string;
}

export interface CrushOptions {
  /** Added to PATH, HOME and the XDG variables; nothing else of this process's environment is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the place's `work`. */
  readonly cwd?: string;
  /** Text for a pipe that is closed then; a descriptor; or `pipe` to keep `child.stdin` open. Default: /dev/null. */
  readonly stdin?: { readonly text: string } | number | "pipe";
  /** Where standard output goes: collected from a pipe (default), a descriptor, or it is closed, as a shell does by `>&-`. */
  readonly stdout?: number | "closed";
  /** The process group is killed after this long, and `ended` rejects with what was printed. Default 20 s. */
  readonly withinMs?: number;
}

export interface Ended {
  /** Null after a death by `signal`. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly wallMs: number;
}

export interface RunningCrush {
  readonly child: ChildProcess;
  readonly pid: number;
  /** So far. */
  stdout(): Buffer;
  stderr(): Buffer;
  /** Resolves when standard error, as far as it came, holds `text`; rejects when the process ends without it. */
  waitForStderr(text: string): Promise<void>;
  waitForStdout(text: string): Promise<void>;
  /** Resolves when the process has ended and its pipes are closed. */
  readonly ended: Promise<Ended>;
}

/** A home with a configuration and an empty working directory; processes and files are gone at the end of its scope. */
export interface CrushPlace extends AsyncDisposable {
  readonly home: string;
  readonly work: string;
  /** Of the user. */
  readonly configFile: string;
  /** What every process here is started with. */
  readonly env: Readonly<Record<string, string>>;
  /** Writes a file, relative to `work`, making its directories. Returns its path. */
  write(path: string, content: string | Buffer): string;
  /** A file of `work`. */
  read(path: string): string;
  /** `bin/crush` with these arguments, to its end. */
  run(args: readonly string[], options?: CrushOptions): Promise<Ended>;
  /** `bin/crush` with these arguments, in its own process group. */
  spawn(args: readonly string[], options?: CrushOptions): RunningCrush;
}

export function crushPlace(options: PlaceOptions = {}): CrushPlace {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "crush-e2e-")));
  const home = join(base, "home");
  const work = join(base, "work");
  const configFile = join(home, ".config/crush/crush.json");
  for (const directory of [work, join(home, ".cache"), dirname(configFile)])
    mkdirSync(directory, { recursive: true });
  const configuration = options.configuration ?? configurationOf(options.provider);
  writeFileSync(
    configFile,
    typeof configuration === "string" ? configuration : JSON.stringify(configuration),
  );
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_CACHE_HOME: join(home, ".cache"),
    XDG_DATA_HOME: join(home, ".local/share"),
    XDG_STATE_HOME: join(home, ".local/state"),
  };
  const running = new Set<RunningCrush>();
  const start = (args: readonly string[], more: CrushOptions = {}): RunningCrush => {
    const one = spawnCrush(args, { cwd: work, ...more, env: { ...env, ...more.env } });
    running.add(one);
    const forget = (): void => void running.delete(one);
    one.ended.then(forget, forget);
    return one;
  };
  return {
    home,
    work,
    configFile,
    env,
    write(path, content) {
      const full = join(work, path);
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, content);
      return full;
    },
    read: (path) => readFileSync(join(work, path), "utf8"),
    run: async (args, more) => await start(args, more).ended,
    spawn: start,
    [Symbol.asyncDispose]: async () => {
      for (const one of running) killGroup(one.pid);
      await Promise.allSettled([...running].map(async (one) => await one.ended));
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** The configuration that `crushPlace` writes for a provider; tests that need another spread it. */
export function configurationOf(provider: PlaceOptions["provider"]): {
  readonly providers?: { readonly fake: object };
  readonly models?: object;
} {
  if (provider === undefined) return {};
  const { path, ...dialect } = DIALECTS[provider.family ?? "chat"];
  const model = { id: "model", name: "Fake", context_window: 100_000, can_reason: true };
  const fake = { ...dialect, base_url: provider.url + path, api_key: FAKE_KEY, models: [model] };
  return { providers: { fake }, models: { large: { provider: "fake", model: "model" } } };
}

function spawnCrush(
  args: readonly string[],
  options: CrushOptions & { readonly env: Readonly<Record<string, string>> },
): RunningCrush {
  const { stdin, withinMs = 20_000 } = options;
  const startedAt = performance.now();
  const [file = CRUSH, ...words] = [
    ...(options.stdout === "closed" ? CLOSING : []),
    CRUSH,
    ...args,
  ];
  const child = spawn(file, words, {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: [
      typeof stdin === "number" ? stdin : stdin === undefined ? "ignore" : "pipe",
      typeof options.stdout === "number" ? options.stdout : "pipe",
      "pipe",
    ],
  });
  const pid = child.pid ?? 0;
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  child.stdin?.on("error", () => {}); // it may end without reading
  if (typeof stdin === "object") child.stdin?.end(stdin.text);
  const stdout = (): Buffer => Buffer.concat(out);
  const stderr = (): Buffer => Buffer.concat(err);

  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killGroup(pid);
  }, withinMs);
  const end = async (): Promise<Ended> => {
    const [status, signal] = (await once(child, "close")) as [number | null, Ended["signal"]];
    clearTimeout(timer);
    const ended = { status, signal, stdout: stdout(), stderr: stderr() };
    if (late)
      throw new Error(
        `crush ${args.join(" ")} did not end within ${withinMs} ms\nstdout: ${ended.stdout.toString()}\nstderr: ${ended.stderr.toString()}`,
      );
    return { ...ended, wallMs: performance.now() - startedAt };
  };
  const ended = end();
  ended.catch(() => clearTimeout(timer)); // whoever awaits it sees the rejection

  let closed = false;
  child.once("close", () => {
    closed = true;
  });
  const waitFor = async (
    stream: ChildProcess["stdout"],
    seen: () => Buffer,
    text: string,
  ): Promise<void> =>
    await new Promise((resolve, reject) => {
      const look = (): void => {
        if (!seen().includes(text) && !closed) return;
        stream?.off("data", look);
        child.off("close", look);
        if (seen().includes(text)) resolve();
        else reject(new Error(`crush ended without ${JSON.stringify(text)}: ${seen().toString()}`));
      };
      stream?.on("data", look);
      child.on("close", look);
      look();
    });
  return {
    child,
    pid,
    stdout,
    stderr,
    ended,
    waitForStderr: async (text) => await waitFor(child.stderr, stderr, text),
    waitForStdout: async (text) => await waitFor(child.stdout, stdout, text),
  };
}

/** The process itself, without a standard output. */
const CLOSING = ["bash", "-c", 'exec "$0" "$@" >&-'];

function killGroup(pid: number): void {
  if (pid === 0) return; // it never started
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // gone already
  }
}
