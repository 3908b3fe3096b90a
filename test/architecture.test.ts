import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** Who may import whom. The same table stands in ARCHITECTURE.md. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  protocol: ["shared"],
  net: ["shared"],
  config: ["net", "protocol", "shared"],
  client: ["protocol", "shared"],
  run: ["client", "protocol", "shared"],
  store: ["protocol", "shared"],
  transcript: ["protocol", "shared"],
  provider: ["net", "protocol", "config", "shared"],
  tools: ["net", "protocol", "config", "shared"],
  agent: ["provider", "tools", "protocol", "config", "shared"],
  session: ["agent", "store", "protocol", "shared"],
  server: ["session", "store", "config", "protocol", "shared"],
  cli: [
    "server",
    "session",
    "agent",
    "tools",
    "provider",
    "store",
    "run",
    "transcript",
    "client",
    "config",
    "protocol",
    "shared",
  ],
};

const SRC = fileURLToPath(new URL("../src", import.meta.url));
const roomOf = (file: string): string => relative(SRC, file).split(sep)[0] ?? "";

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => join(SRC, name));

function importsOf(file: string): string[] {
  const source = readFileSync(file, "utf8");
  return [...source.matchAll(/(?:from\s*|import\s*\(?\s*)"([^"]+)"/g)].map(
    (match) => match[1] ?? "",
  );
}

test("every room imports only the rooms below it", () => {
  const trespasses = files.flatMap((file) =>
    importsOf(file)
      .filter((specifier) => specifier.startsWith(".") && !specifier.endsWith("/package.json"))
      .map((specifier) => roomOf(resolve(dirname(file), specifier)))
      .filter((to) => to !== roomOf(file) && !MAY_IMPORT[roomOf(file)]?.includes(to))
      .map((to) => `${relative(SRC, file)} -> ${to}`),
  );
  expect(files.length).toBeGreaterThan(0); // an empty walk must not read as a pass
  expect(trespasses).toEqual([]);
});

test("every file lives in a known room", () => {
  const strays = files
    .filter((file) => dirname(file) === SRC || MAY_IMPORT[roomOf(file)] === undefined)
    .map((file) => relative(SRC, file));
  expect(strays).toEqual([]);
});

test("only the store speaks SQL and only cli writes to the terminal or ends the process", () => {
  const offences = files.flatMap((file) => {
    const source = readFileSync(file, "utf8");
    const room = roomOf(file);
    const found: string[] = [];
    if (room !== "store" && /from "@photostructure\/sqlite"/.test(source)) found.push("SQLite");
    if (room !== "cli" && /\bprocess\.(exit\(|exitCode|stdout|stderr)|\bconsole\./.test(source))
      found.push("terminal or exit");
    return found.map((what) => `${relative(SRC, file)}: ${what}`);
  });
  expect(offences).toEqual([]);
});

test("durations are taken without the global that loads a module at each start", () => {
  const offenders = files.filter((file) =>
    /^[^*]*\bperformance\./m.test(readFileSync(file, "utf8")),
  );
  expect(offenders.map((file) => relative(SRC, file))).toEqual([]);
});
