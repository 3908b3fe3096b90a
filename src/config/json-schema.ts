import * as z from "zod/mini";
import { isJsonObject, type Json, type JsonObject } from "../shared/json.ts";
import { PROVIDER_TYPES } from "./provider-type.ts";
import { configSchema, KNOWN_FIELDS } from "./schema.ts";

/**
 * The JSON Schema (draft 7, which every editor knows) of `crush.json`, made from what checks the file. It is stricter in one thing: a field that is not
 * known, which a run warns about, does not validate, so that an editor underlines what is misspelt.
 */
export function configJsonSchema(): JsonObject {
  const made: unknown = JSON.parse(
    JSON.stringify(z.toJSONSchema(configSchema, { target: "draft-7", io: "input" })),
  );
  const root = isJsonObject(made) ? made : {};
  const closed = KNOWN_FIELDS.reduce(
    (schema, [path, names]) => edit(schema, path, (node) => closedOver(node, names)),
    root,
  );
  const described = Object.entries(FIELD_NOTES).reduce(
    (schema, [path, note]) => edit(schema, path.split("."), (node) => ({ ...note, ...node })),
    closed,
  );
  return { ...described, title: "crush.json", description: "Configuration of crush." };
}

interface Note {
  readonly description: string;
  readonly examples?: readonly string[];
  readonly deprecated?: boolean;
}

/** What an editor shows, by path; `*` stands for any name or index. */
export const FIELD_NOTES: Readonly<Record<string, Note>> = {
  models: { description: "Which models are used when -m is not given." },
  "models.large": { description: "The model of crush run." },
  "models.*.provider": { description: "A key of providers, or a known provider such as openai." },
  "models.*.model": { description: "The model's id, without the provider." },
  "models.*.max_tokens": { description: "Most tokens of one answer." },
  "models.*.reasoning_effort": {
    description: "How much it thinks, in the provider's words.",
    examples: ["low", "medium", "high"],
  },
  providers: { description: "Servers with models, by a name of yours." },
  "providers.*.type": {
    description: "What it speaks; openai-compat without it.",
    examples: PROVIDER_TYPES,
  },
  "providers.*.base_url": { description: "Where it is. $VAR and $(command) are expanded." },
  "providers.*.api_key": {
    description: "Its key. $VAR and $(command) are expanded; a command runs when it is used.",
    examples: ["$OPENAI_API_KEY", "$(pass show openai)"],
  },
  "providers.*.disable": { description: "Whether to do without it." },
  "providers.*.models": { description: "Its models; without them it is asked for its list." },
  "providers.*.discover_models": { description: "Whether it is asked for its list of models." },
  "providers.*.responses": {
    description: "For type openai: the responses API (true) or the chat API (false).",
  },
  "providers.*.extra_headers": { description: "Sent with each request. Values are expanded." },
  "providers.*.extra_body": { description: "Merged into the body of each request." },
  "providers.*.models.*.context_window": { description: "Tokens that it can read at once." },
  "providers.*.models.*.cost_per_1m_in": { description: "US dollars per million input tokens." },
  "providers.*.models.*.cost_per_1m_out": { description: "US dollars per million output tokens." },
  "providers.*.models.*.cost_per_1m_in_cached": {
    description: "The same for tokens written to the provider's cache.",
  },
  "providers.*.models.*.cost_per_1m_out_cached": {
    description: "The same for tokens read from the provider's cache.",
  },
  options: { description: "What holds for every run." },
  "options.context_paths": {
    description: "More files whose text goes into the system prompt.",
    examples: ["docs/style.md"],
  },
  "options.data_directory": { description: "Where sessions and runs are kept (.crush)." },
  "options.disabled_tools": {
    description: "Tools that the model is not given.",
    examples: ["bash", "fetch"],
  },
  "options.disable_auto_summarize": {
    description: "Whether a conversation that fills the context ends instead of being summarised.",
  },
  "options.disable_default_providers": {
    description: "Whether only the providers of this file count.",
  },
  permissions: { description: "What tools may do (docs/permissions.md)." },
  "permissions.allowed_tools": {
    description: "Crush's list: tools, or tool:action, that need no approval.",
    examples: ["view", "bash:execute"],
  },
  "permissions.allow": {
    description: "Rules for what is allowed: tool, tool:action or tool(pattern).",
    examples: ["bash(git *)", "write(src/**)", "fetch(https://docs.*)"],
  },
  "permissions.deny": {
    description: "Rules for what is forbidden, whatever allows it.",
    examples: ["bash(git push *)", "view(**/.env)"],
  },
  env: { description: "Added to the environment of tools. Values are expanded." },
  hooks: { description: "Not carried out by crush run: a PreToolUse hook ends it." },
  trusted_directories: {
    description: "Only in your own files: directories whose crush.json is trusted.",
    examples: ["~/work/ours"],
  },
};

/** Every node at a path of field names, changed; a path that leads nowhere changes nothing. */
function edit(
  node: JsonObject,
  path: readonly string[],
  change: (node: JsonObject) => JsonObject,
): JsonObject {
  const [step, ...rest] = path;
  if (step === undefined) return change(node);
  const within = (value: Json | undefined): Json | undefined =>
    isJsonObject(value) ? edit(value, rest, change) : value;
  const { properties, additionalProperties, items } = node;
  const edited: Record<string, Json | undefined> = { ...node };
  if (isJsonObject(properties))
    edited["properties"] = Object.fromEntries(
      Object.entries(properties).map(([name, value]) => [
        name,
        step === "*" || step === name ? within(value) : value,
      ]),
    );
  if (step === "*") {
    if (isJsonObject(additionalProperties))
      edited["additionalProperties"] = within(additionalProperties);
    if (isJsonObject(items)) edited["items"] = within(items);
  }
  return edited;
}

/** With the names that are allowed but not looked at, and no others. */
function closedOver(node: JsonObject, names: ReadonlySet<string>): JsonObject {
  const known = isJsonObject(node["properties"]) ? node["properties"] : {};
  const unseen = [...names].filter((name) => known[name] === undefined);
  const properties = { ...known, ...Object.fromEntries(unseen.map((name) => [name, true])) };
  return { ...node, properties, additionalProperties: false };
}
