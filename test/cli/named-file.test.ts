import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openNamed, readUpTo } from "../../src/cli/named-file.ts";
import { RunFailed } from "../../src/protocol/ending.ts";
import { asOrdinaryUser } from "../support/other-user.ts";

let place = "";
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "crush-named-"));
  chmodSync(place, 0o755);
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

/** How the file is refused, its place written as PLACE. */
function refusal(path: string): string {
  try {
    using _ = openNamed(`--file names ${path}`, path);
  } catch (error) {
    if (!(error instanceof RunFailed)) throw error;
    const { reason, message, remedy } = error.failure;
    return `${message.replace(place, "PLACE")} (${reason}); ${remedy ?? ""}`;
  }
  throw new Error("it was opened");
}

test("a file that this user may not read is refused with flag, file and remedy", () => {
  const path = join(place, "private");
  writeFileSync(path, "secret", { mode: 0o200 });
  expect(asOrdinaryUser(() => refusal(path))).toBe(
    "--file names PLACE/private, which this user may not read (usage); make it readable, or name another",
  );
});

test("a socket and a name that is too long are refused with the system's word for it", async () => {
  const server = createServer().listen(join(place, "socket"));
  await once(server, "listening");
  expect(refusal(join(place, "socket"))).toBe(
    "--file names PLACE/socket, which cannot be read (ENXIO) (usage); name a file that can be read",
  );
  server.close();
  expect(refusal(join(place, "x".repeat(5_000)))).toContain("ENAMETOOLONG");
});

test("a file is read up to the limit, and one of a system that tells no size as well", () => {
  const path = join(place, "file");
  writeFileSync(path, "x".repeat(200_000));
  using file = openNamed(`--file names ${path}`, path);
  expect(readUpTo(file, "--file", 200_000)?.length).toBe(200_000);
  using again = openNamed(`--file names ${path}`, path);
  expect(readUpTo(again, "--file", 199_999)).toBeNull();
  using proc = openNamed("--file", "/proc/self/status");
  expect(readUpTo(proc, "--file", 1_000_000)?.length).toBeGreaterThan(100);
});

test("a file whose reading fails is refused, and not taken for an empty one", () => {
  using file = openNamed("--file", "/proc/self/mem");
  expect(() => readUpTo(file, "--file names /proc/self/mem", 10)).toThrow(
    /^--file names \/proc\/self\/mem, which cannot be read \(EIO\)$/,
  );
});
