import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import groq from "../../src/config/catalogue/groq.json" with { type: "json" };
import { licenceText } from "./licence-texts.ts";

const PERMITTED = new Set([
  "MIT",
  "ISC",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "0BSD",
  "BlueOak-1.0.0",
]);

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly author?: string | { readonly name?: string };
}

/**
 * The notices of every package whose code is in the bundle, given the bundled files. Throws when a package has a
 * licence that nobody has looked at yet.
 */
export function thirdPartyLicenses(bundledFiles: readonly string[]): string {
  const packages = new Map<string, string>([catalogueNotice()]);
  for (const file of bundledFiles.filter((name) => name.includes("node_modules/"))) {
    const directory = packageDirectory(file);
    const manifest = readManifest(directory);
    packages.set(`${manifest.name} ${manifest.version}`, notice(directory, manifest));
  }
  const notices = [...packages].sort(([a], [b]) => a.localeCompare(b)).map(([, text]) => text);
  return `crush-run contains code of the following packages.\n\n${notices.join("\n")}`;
}

/** The nearest directory above with a named manifest (some packages have unnamed ones in subfolders). */
function packageDirectory(file: string): string {
  for (
    let directory = dirname(file);
    directory !== dirname(directory);
    directory = dirname(directory)
  )
    if (
      existsSync(join(directory, "package.json")) &&
      readManifest(directory).name !== undefined &&
      readManifest(directory).version !== undefined
    )
      return directory;
  throw new Error(`no package.json above ${file}`);
}

const readManifest = (directory: string): Manifest =>
  JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as Manifest;

function notice(directory: string, { name, version, license, author }: Manifest): string {
  if (license === undefined || !PERMITTED.has(license))
    throw new Error(`${name} ${version} has the licence ${license}: look at it, then list it here`);
  const file = readdirSync(directory).find((one) => /^licen[cs]e/i.test(one));
  const holder = typeof author === "string" ? author : author?.name;
  const text =
    file === undefined
      ? licenceText(license, holder ?? null)
      : readFileSync(join(directory, file), "utf8").trim();
  return entry(`${name} ${version}`, license, text);
}

/** The table of models and prices is taken from a package that is not installed. */
function catalogueNotice(): readonly [string, string] {
  const { package: name, version, licence, author } = groq.source;
  const title = `${name} ${version}`;
  return [title, entry(`${title}, its table of models`, licence, licenceText(licence, author))];
}

const entry = (title: string, licence: string, text: string): string =>
  `${"-".repeat(79)}\n${title} (${licence})\n\n${text}\n`;
