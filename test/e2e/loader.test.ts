import { spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, expect, test } from "vitest";

// The real bin/crush and dist/loader.cjs start a small program of our own here, with enough functions in it for
// the code cache to matter. The last tests start the real one.

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const temporary = mkdtempSync(join(tmpdir(), "crush-loader-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

const PROGRAM = `
${Array.from({ length: 400 }, (_, n) => `function f${n}(a){return [a,${n}].map((x)=>x+${n}).join("-${n}")}`).join("\n")}
function lazy(){return [${Array.from({ length: 400 }, (_, n) => `f${n}(1)`).join(",")}].length}
exports.main = async function (argv) {
  const [command, name] = argv;
  if (command === "run") lazy();
  if (command === "flags") require("node:v8").setFlagsFromString("--no-opt");
  if (command === "throw") throw new Error("boom");
  if (command === "fail") process.exitCode = 5;
  if (command !== "--version") globalThis[Symbol.for("crush-run.cache-as")] = name ?? command;
  process.stdout.write(String(globalThis[Symbol.for("crush-run.cache-from")]));
};
`;

let home = "";
let installed = "";
let caches = "";
beforeEach(() => {
  home = mkdtempSync(join(temporary, "home-"));
  caches = join(home, ".cache/crush-run");
  installed = join(home, "installed");
  mkdirSync(join(installed, "dist"), { recursive: true });
  cpSync(join(ROOT, "bin"), join(installed, "bin"), { recursive: true });
  copyFileSync(join(ROOT, "dist/loader.cjs"), join(installed, "dist/loader.cjs"));
  writeFileSync(join(installed, "dist/crush.cjs"), PROGRAM);
});

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function start(
  file: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; nodeFlags?: readonly string[] } = {},
): Promise<Ended> {
  const env = options.env ?? { PATH: process.env["PATH"], HOME: home };
  const child = spawn(process.execPath, [...(options.nodeFlags ?? []), file, ...args], {
    env,
    cwd: home,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

const crush = (args: readonly string[], options: Parameters<typeof start>[2] = {}) =>
  start(join(installed, "bin/crush"), args, options);

const said = (stdout: string): Ended => ({ code: 0, signal: null, stdout, stderr: "" });

const keptFile = (): string => {
  const [only, ...more] = readdirSync(caches);
  expect(more).toEqual([]);
  return join(caches, only ?? "");
};

test("a successful run keeps its code, and the next one starts from it", async () => {
  expect(await crush(["run"])).toEqual(said("none"));
  const { ino } = statSync(keptFile());
  expect(await crush(["run"])).toEqual(said("user"));
  expect(statSync(keptFile()).ino).toBe(ino); // written once, not at every run
});

test("a command that is no real run, and a run that failed, keep nothing", async () => {
  expect(await crush(["--version"])).toEqual(said("none"));
  expect(await crush(["fail"])).toEqual({ ...said("none"), code: 5 });
  expect(readdirSync(home)).toEqual(["installed"]);
});

test("another kind of run adds its functions to the cache, once", async () => {
  await crush(["short"]);
  const small = statSync(keptFile());
  expect(await crush(["run"])).toEqual(said("user"));
  const grown = statSync(keptFile());
  expect(grown.size).toBeGreaterThan(small.size + 10_000);
  expect(await crush(["short"])).toEqual(said("user"));
  expect(await crush(["run"])).toEqual(said("user"));
  expect(statSync(keptFile()).ino).toBe(grown.ino);
});

test("the cache that comes with the build serves whoever has none", async () => {
  await crush(["run"]);
  copyFileSync(keptFile(), join(installed, "dist/crush.cache"));
  rmSync(join(home, ".cache"), { recursive: true });
  expect(await crush(["run"])).toEqual(said("shipped"));
  expect(readdirSync(home)).toEqual(["installed"]);
  // V8 refuses what was compiled under other flags; such a run keeps its own.
  const nodeFlags = ["--no-opt"];
  expect(await crush(["run"], { nodeFlags })).toEqual(said("rejected"));
  expect(await crush(["run"], { nodeFlags })).toEqual(said("user"));
  await crush(["run", "another kind"]);
  expect(await crush(["run"])).toEqual(said("user"));
});

test("a damaged cache is not used, and is replaced", async () => {
  await crush(["run"]);
  const whole = readFileSync(keptFile());
  const flipped = (seed: number): Buffer => {
    const bytes = Buffer.from(whole);
    for (let n = 1; n <= 8; n++) {
      const at = (seed * 7919 + n * 104_729) % bytes.length;
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (n % 8)), at);
    }
    return bytes;
  };
  const damaged = [
    ...Array.from({ length: 12 }, (_, seed) => flipped(seed)),
    whole.subarray(0, whole.length / 2),
    Buffer.alloc(0),
    Buffer.alloc(whole.length),
    Buffer.from("garbage"),
  ];
  for (const bytes of damaged) {
    writeFileSync(keptFile(), bytes);
    expect(await crush(["run"])).toEqual(said("none"));
    expect(await crush(["--version"])).toEqual(said("user"));
  }
});

test("a cache is not kept by a process that changed the flags of V8", async () => {
  expect(await crush(["flags"])).toEqual(said("none"));
  expect(readdirSync(caches)).toEqual([]);
});

test("Node flags have a cache of their own and do not disturb the other", async () => {
  const nodeFlags = ["--no-opt"];
  await crush(["run"]);
  expect(await crush(["run"], { nodeFlags })).toEqual(said("none"));
  expect(await crush(["run"], { nodeFlags })).toEqual(said("user"));
  expect(await crush(["run"])).toEqual(said("user"));
  expect(readdirSync(caches)).toHaveLength(2);
});

test("first runs at the same time all succeed and leave one cache", async () => {
  const all = await Promise.all(Array.from({ length: 8 }, () => crush(["run"])));
  expect(all.map(({ code, stderr }) => [code, stderr])).toEqual(all.map(() => [0, ""]));
  expect(await crush(["run"])).toEqual(said("user"));
  keptFile();
});

test("no home, a home that is a file, a directory that others write to: no cache and no error", async () => {
  const PATH = process.env["PATH"];
  expect(await crush(["run"], { env: { PATH } })).toEqual(said("none"));
  const env = { PATH, HOME: join(installed, "bin/crush") };
  expect(await crush(["run"], { env })).toEqual(said("none"));
  await crush(["run"]);
  chmodSync(caches, 0o777);
  expect(await crush(["run"])).toEqual(said("none"));
});

test("an exception out of the program is one error line and exit 1", async () => {
  expect(await crush(["throw"])).toEqual({
    code: 1,
    signal: null,
    stdout: "",
    stderr: "error: internal: Error: boom: please report this\n",
  });
});

test("without a build the remedy is named", async () => {
  rmSync(join(installed, "dist"), { recursive: true });
  const { code, stdout, stderr } = await crush(["run"]);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toBe(
    `error: crush-run is not built: run "npm ci" or "npm run build" in ${installed}\n`,
  );
});

test("an old Node is refused by name", async () => {
  const preload = join(home, "old-node.cjs");
  writeFileSync(preload, `Object.defineProperty(process.versions, "node", { value: "20.18.9" });`);
  const nodeFlags = ["--require", preload];
  const { code, stderr } = await crush(["run"], { nodeFlags });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: crush-run needs Node 20\.19 or newer, this is v[^\n]*\n$/);
});

test("the built program comes with a cache and starts from it", async () => {
  const preload = join(home, "tell.cjs");
  writeFileSync(
    preload,
    `process.on("exit", () => console.error("from " + globalThis[Symbol.for("crush-run.cache-from")]));`,
  );
  const env = { PATH: process.env["PATH"], HOME: home, NODE_OPTIONS: `--require ${preload}` };
  const version = await start(join(ROOT, "bin/crush"), ["--version"], { env });
  expect([version.code, version.stderr]).toEqual([0, "from shipped\n"]);
});
