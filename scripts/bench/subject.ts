import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startFakeProvider } from "../../test/support/fake-provider.ts";
import type { FakeProvider } from "../../test/support/fake-provider.ts";
import type { FakeStep } from "../../test/support/fake-script.ts";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const CRUSH = here("../../bin/crush");

/** One cold run of one program. */
export interface Sample {
  readonly wallMs: number;
  /** User and system time. */
  readonly cpuMs: number;
  readonly peakMiB: number;
  readonly startToRequestMs: number;
  readonly lastByteToExitMs: number;
}

export type Program = "floor" | "crush";

/** The two programs under test, and the provider that both ask. */
export interface Subject extends AsyncDisposable {
  /** Runs a program once. Throws unless it exits with 0 and prints the whole answer. */
  run(program: Program, step: FakeStep): Promise<Sample>;
}

/** A home with a configuration, a working directory, and a fake provider in this process. */
export async function startSubject(): Promise<Subject> {
  let step: FakeStep = {};
  const provider = await startFakeProvider(() => step);
  const home = mkdtempSync(join(tmpdir(), "crush-bench-"));
  const work = join(home, "work");
  mkdirSync(work);
  mkdirSync(join(home, "config/crush"), { recursive: true });
  writeFileSync(join(home, "config/crush/crush.json"), JSON.stringify(config(provider.url)));
  const usageFile = join(home, "usage.json");
  const place: Place = {
    cwd: work,
    usageFile,
    env: {
      PATH: process.env["PATH"],
      HOME: home,
      XDG_CONFIG_HOME: join(home, "config"),
      XDG_CACHE_HOME: home,
      NODE_OPTIONS: `--require ${here("usage-hook.cjs")}`,
      CRUSH_BENCH_USAGE_FILE: usageFile,
    },
  };
  const args: Readonly<Record<Program, readonly string[]>> = {
    floor: [here("floor-client.mjs"), `${provider.url}/v1/chat/completions`],
    crush: [CRUSH, "run", "-q", "--no-stdin", "-m", "fake/model", "hi"],
  };
  return {
    run: (program, next) => {
      step = next;
      return sample(args[program], place, provider, next.text ?? "");
    },
    [Symbol.asyncDispose]: async () => {
      await provider.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

interface Place {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly usageFile: string;
}

const config = (url: string): object => ({
  providers: {
    fake: {
      type: "openai-compat",
      base_url: `${url}/v1`,
      api_key: "k",
      models: [
        { id: "model", name: "Model", context_window: 1_000_000, default_max_tokens: 100_000 },
      ],
    },
  },
  models: { large: { model: "model", provider: "fake" } },
});

async function sample(
  args: readonly string[],
  { cwd, env, usageFile }: Place,
  provider: FakeProvider,
  expected: string,
): Promise<Sample> {
  const index = provider.requests.length;
  rmSync(usageFile, { force: true });
  const started = process.hrtime.bigint();
  const child = spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (bytes: Buffer) => stdout.push(bytes));
  child.stderr.on("data", (bytes: Buffer) => stderr.push(bytes));
  let ended = started;
  child.on("exit", () => (ended = process.hrtime.bigint()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });

  const printed = Buffer.concat(stdout).toString("utf8");
  const request = provider.requests[index];
  if (code !== 0 || printed.trimEnd() !== expected || request?.lastByteAt === undefined)
    throw new Error(
      `${args.join(" ")} ended with ${code}, ${printed.length} characters of ${expected.length}\n` +
        Buffer.concat(stderr).toString("utf8"),
    );
  const usage = JSON.parse(readFileSync(usageFile, "utf8")) as { cpuMs: number; peakMiB: number };
  return {
    wallMs: milliseconds(ended - started),
    ...usage,
    startToRequestMs: milliseconds(request.arrivedAt - started),
    lastByteToExitMs: milliseconds(ended - request.lastByteAt),
  };
}

const milliseconds = (nanoseconds: bigint): number => Number(nanoseconds) / 1e6;
