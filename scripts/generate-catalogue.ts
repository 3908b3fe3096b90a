/**
 * Writes src/config/catalogue/<provider>.json from the model table inside an npm package whose licence permits it.
 * Run it by `npm run catalogue` after raising VERSION; the package is fetched into a temp dir and is no dependency.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const PACKAGE = "@mariozechner/pi-ai";
const VERSION = "0.73.1";
const OUT = fileURLToPath(new URL("../src/config/catalogue/", import.meta.url));

/** The API each provider is expected to speak in the table; another one means that src/config must learn it first. */
const API = {
  openai: "openai-responses",
  anthropic: "anthropic-messages",
  google: "google-generative-ai",
  openrouter: "openai-completions",
  groq: "openai-completions",
  mistral: "mistral-conversations",
  xai: "openai-completions",
  deepseek: "openai-completions",
} as const;

interface SourceModel {
  readonly id: string;
  readonly name: string;
  readonly api: string;
  readonly reasoning: boolean;
  readonly input: readonly string[];
  readonly cost: Readonly<Record<"input" | "output" | "cacheRead" | "cacheWrite", number>>;
  readonly contextWindow: number;
  readonly maxTokens: number;
}

const COLUMNS = [
  "id",
  "name",
  "input",
  "output",
  "cache_read",
  "cache_write",
  "context_window",
  "max_tokens",
  "reasoning",
  "images",
];

/** The table writes 0 for a price it does not know; only OpenRouter's `:free` models truly cost nothing. */
function priceOf(model: SourceModel, kind: keyof SourceModel["cost"]): number | null {
  if (model.id.endsWith(":free")) return 0;
  const price = model.cost[kind];
  // Some prices were multiplied there: 0.44999999999999996.
  return Number.isFinite(price) && price > 0 ? Number(price.toPrecision(10)) : null;
}

const positive = (value: number): number | null => (value > 0 ? value : null);

const rowOf = (model: SourceModel): readonly (string | number | boolean | null)[] => [
  model.id,
  model.name,
  priceOf(model, "input"),
  priceOf(model, "output"),
  priceOf(model, "cacheRead"),
  priceOf(model, "cacheWrite"),
  positive(model.contextWindow),
  positive(model.maxTokens),
  model.reasoning,
  model.input.includes("image"),
];

function modelsOf(table: Record<string, Record<string, SourceModel>>, provider: keyof typeof API) {
  const models = Object.values(table[provider] ?? {});
  if (models.length === 0) throw new Error(`no models of ${provider} in ${PACKAGE}@${VERSION}`);
  const strange = models.find((model) => model.api !== API[provider]);
  if (strange) throw new Error(`${provider}/${strange.id} speaks ${strange.api}`);
  return models;
}

const npm = (args: readonly string[], cwd: string): string =>
  execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

const temp = mkdtempSync(join(tmpdir(), "crush-catalogue-"));
try {
  const spec = `${PACKAGE}@${VERSION}`;
  const tarball = npm(["pack", "--silent", spec], temp).trim();
  execFileSync("tar", ["xzf", tarball], { cwd: temp });
  const about = JSON.parse(readFileSync(join(temp, "package/package.json"), "utf8")) as {
    license: string;
    author: string;
  };
  if (about.license !== "MIT")
    throw new Error(`the licence is now ${about.license}: read it first`);
  const times = JSON.parse(npm(["view", spec, "time", "--json"], temp)) as Record<string, string>;
  const source = {
    package: PACKAGE,
    version: VERSION,
    licence: about.license,
    author: about.author,
    published: (times[VERSION] ?? "").slice(0, 10),
  };

  const file = pathToFileURL(join(temp, "package/dist/models.generated.js")).href;
  const { MODELS } = (await import(file)) as {
    MODELS: Record<string, Record<string, SourceModel>>;
  };
  for (const provider of Object.keys(API) as (keyof typeof API)[]) {
    const models = modelsOf(MODELS, provider).map(rowOf);
    const path = join(OUT, `${provider}.json`);
    writeFileSync(path, `${JSON.stringify({ source, columns: COLUMNS, models })}\n`);
  }
  execFileSync("npx", ["oxfmt", OUT], { stdio: "inherit" });
} finally {
  rmSync(temp, { recursive: true, force: true });
}
