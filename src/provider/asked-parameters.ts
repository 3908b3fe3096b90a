import type { AskedParameters, SelectedModel } from "../config/config.ts";
import { failure, RunFailed } from "../protocol/ending.ts";
import { REASONING_LEVELS, type ReasoningLevel } from "../protocol/run-options.ts";
import { isJsonObject, type JsonObject } from "../shared/json.ts";
import { ModelCallFailed } from "./language-model.ts";
import { isAdaptive, takesThinkingLevel } from "./provider-options.ts";

/**
 * The model with what the run asks for itself, over whatever the configuration says. Throws `usage` for what this model cannot be
 * asked for.
 */
export function withAsked(selected: SelectedModel, asked: AskedParameters): SelectedModel {
  const { reasoningEffort, temperature } = asked;
  if (reasoningEffort !== undefined) checkEffort(selected, reasoningEffort);
  if (temperature !== undefined && isPlayed(selected))
    throw refused(`${refOf(selected)} takes no --temperature`, "leave it out");
  const names = [
    ...(reasoningEffort === undefined ? [] : EFFORT_NAMES),
    ...(temperature === undefined ? [] : ["temperature"]),
  ];
  return {
    ...selected,
    ...(reasoningEffort === undefined ? {} : { reasoningEffort }),
    ...(temperature === undefined ? {} : { temperature }),
    providerOptions: without(selected.providerOptions, names),
    provider: {
      ...selected.provider,
      providerOptions: without(selected.provider.providerOptions, names),
      extraBody: without(selected.provider.extraBody, names),
    },
    asked,
  };
}

/**
 * Looks into a request before it is sent: an SDK leaves out what it holds to be unsupported, and a flag is never ignored. Throws
 * `ModelCallFailed` with reason `usage`.
 */
export function checkAsked(body: string, selected: SelectedModel): void {
  const { asked } = selected;
  if (asked === undefined) return;
  const sent = JSON.parse(body) as JsonObject;
  const { temperature, reasoningEffort } = asked;
  const lost =
    temperature !== undefined && temperatureIn(sent) !== temperature
      ? `--temperature ${temperature}`
      : reasoningEffort !== undefined && !hasEffort(sent, reasoningEffort, selected)
        ? `--reasoning-effort ${reasoningEffort}`
        : null;
  if (lost === null) return;
  const what = refused(`${refOf(selected)} does not take ${lost}`, "leave it out, or change it");
  throw new ModelCallFailed(what.failure, { retryable: false });
}

/** What the SDKs, the APIs and crush.json call it. */
const EFFORT_NAMES = [
  "reasoningEffort",
  "reasoning_effort",
  "reasoning",
  "effort",
  "thinking",
  "thinkingConfig",
];

/** Also of what is nested under the key of an adapter. */
function without(options: JsonObject, names: readonly string[]): JsonObject {
  const kept = Object.entries(options).filter(([name]) => !names.includes(name));
  return Object.fromEntries(
    kept.map(([name, value]) => [name, isJsonObject(value) ? without(value, names) : value]),
  );
}

function checkEffort(selected: SelectedModel, effort: ReasoningLevel): void {
  const ref = refOf(selected);
  if (!selected.model.canReason)
    throw refused(
      `--reasoning-effort is for models that reason, and ${ref} does not`,
      "leave it out, use another model, or set can_reason of this one in crush.json",
    );
  const levels = selected.model.reasoningLevels ?? levelsOf(selected);
  if (levels.includes(effort)) return;
  throw refused(
    `--reasoning-effort is ${JSON.stringify(effort)}, which ${ref} does not know`,
    `use one of ${levels.join(", ")}`,
  );
}

/** What can be said in the words of the API. */
function levelsOf({ provider, model }: SelectedModel): readonly string[] {
  const all: readonly string[] = REASONING_LEVELS;
  if (provider.type === "anthropic" && isAdaptive(model.id))
    return all.filter((level) => level !== "minimal");
  if (provider.type === "google" && takesThinkingLevel(model.id))
    return ["minimal", "low", "medium", "high"];
  return all;
}

const isPlayed = ({ provider: { type } }: SelectedModel): boolean =>
  type === "demo" || type === "scripted";

const temperatureIn = (sent: JsonObject): unknown =>
  sent["temperature"] ?? within(sent, "generationConfig")["temperature"];

function hasEffort(
  sent: JsonObject,
  effort: ReasoningLevel,
  { provider }: Pick<SelectedModel, "provider">,
): boolean {
  const thinking = within(sent, "thinking");
  const config = within(within(sent, "generationConfig"), "thinkingConfig");
  const named = [
    sent["reasoning_effort"],
    within(sent, "reasoning")["effort"],
    within(sent, "output_config")["effort"],
    config["thinkingLevel"],
  ];
  if (named.includes(effort)) return true;
  if (config["thinkingBudget"] !== undefined) return true;
  // Not to think is said by silence there.
  if (provider.type === "anthropic" && effort === "none") return sent["thinking"] === undefined;
  return thinking["budget_tokens"] !== undefined;
}

const within = (object: JsonObject, name: string): JsonObject => {
  const value = object[name];
  return isJsonObject(value) ? value : {};
};

const refOf = ({ provider, model }: Pick<SelectedModel, "provider" | "model">): string =>
  `${provider.id}/${model.id}`;

const refused = (message: string, remedy: string): RunFailed =>
  new RunFailed(failure("usage", message, { remedy }));
