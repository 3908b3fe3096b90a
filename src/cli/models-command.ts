import { loadConfig } from "../config/load.ts";
import { listModels, type ListedModel } from "../config/list-models.ts";
import type { Flags } from "./flag-values.ts";
import { printOut } from "./print-out.ts";
import { timeLimit } from "./time-limit.ts";
import { workspaceFlags } from "./workspace-flags.ts";

const ASK_MS = 10_000;

/** `crush models`: usable models on standard output, the reasons for the rest on standard error. */
export async function modelsCommand(filter: string | null, flags: Flags): Promise<number> {
  const signal = timeLimit(ASK_MS, "see what takes so long: a $(command) in crush.json, for one");
  const { path: cwd, ...files } = workspaceFlags(flags);
  const config = await loadConfig({ cwd, env: process.env, ...files, signal });
  const { usable, unusable } = await listModels(config, signal);
  const wanted = (text: string): boolean =>
    filter === null || text.toLowerCase().includes(filter.toLowerCase());
  const lines = usable
    .filter(({ ref, model }) => wanted(`${ref} ${model.name}`))
    .map((model) => (process.stdout.isTTY ? describe(model) : model.ref));
  for (const warning of config.warnings) process.stderr.write(`warning: ${warning}\n`);
  for (const { id, why, remedy } of unusable)
    if (wanted(id)) process.stderr.write(`not usable: ${id}: ${why}; ${remedy}\n`);
  return await printOut(lines.map((line) => `${line}\n`).join(""));
}

function describe({ ref, model }: ListedModel): string {
  const size = model.contextWindow === null ? "?" : `${Math.round(model.contextWindow / 1000)}k`;
  const price =
    model.costPer1mIn === null || model.costPer1mOut === null
      ? "price unknown"
      : `$${model.costPer1mIn} in, $${model.costPer1mOut} out per million`;
  return `${ref.padEnd(48)} ${size.padStart(6)}  ${price}`;
}
