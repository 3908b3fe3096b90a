import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCommand } from "../../src/config/run-command.ts";
import { ExpandFailed } from "../../src/config/template.ts";

const never = new AbortController().signal;
const run = (command: string, signal = never, timeoutMs = 5000): Promise<string> =>
  runCommand(command, {
    cwd: tmpdir(),
    env: { PATH: process.env["PATH"], X: "1" },
    timeoutMs,
    signal,
  });

const isAlive = (pid: number): boolean => {
  try {
    // A zombie that nobody has reaped yet still answers to kill(pid, 0).
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

test("the output comes without its trailing newlines, from the given environment", async () => {
  expect(await run("printf 'a\\nb%s\\n\\n' \"$X\"")).toBe("a\nb1");
});

test("stdin is empty, so that a command that reads it does not wait", async () => {
  expect(await run("cat; echo end")).toBe("end");
});

test("a failing command says its status and the first line of its stderr", async () => {
  await expect(run("echo locked >&2; echo more >&2; exit 3")).rejects.toThrow(
    new ExpandFailed("its command failed (3): locked"),
  );
});

test("a command that does not end is stopped with its whole group", async () => {
  const dir = mkdtempSync(join(tmpdir(), "crush-command-"));
  try {
    const file = join(dir, "pid");
    await expect(run(`sleep 60 & echo $! > ${file}; wait`, never, 300)).rejects.toThrow(
      new ExpandFailed("its command did not end within 0.3 s"),
    );
    const left = Number(readFileSync(file, "utf8"));
    await expect.poll(() => isAlive(left), { timeout: 1_000 }).toBe(false);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("what it leaves in the background is gone, and keeps nobody waiting", async () => {
  const started = performance.now();
  const left = Number(await run("sleep 60 & echo $!"));
  expect(left).toBeGreaterThan(1);
  // It was killed; init takes its number away a moment later.
  await expect.poll(() => isAlive(left), { timeout: 1_000 }).toBe(false);
  expect(await run("setsid sleep 3 & echo key")).toBe("key"); // it left the group, and holds our pipe
  expect(performance.now() - started).toBeLessThan(2500);
});

test("more than 64 KiB is refused", async () => {
  await expect(run("yes")).rejects.toThrow(
    new ExpandFailed("its command printed more than 64 KiB"),
  );
});

test("an abort ends the command and throws the signal's reason", async () => {
  const dir = mkdtempSync(join(tmpdir(), "crush-command-"));
  try {
    const abort = new AbortController();
    const started = join(dir, "started");
    const running = run(`touch ${started}; sleep 60`, abort.signal);
    while (!existsSync(started)) await new Promise((resolve) => setImmediate(resolve));
    abort.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
    await expect(run("echo x", abort.signal)).rejects.toThrow("enough");
  } finally {
    rmSync(dir, { recursive: true });
  }
});
