import * as z from "zod/mini";

/**
 * The shape of `crush.json`. protocol.md sections 10.2 to 10.5. Strict about types; unknown fields pass here and are
 * told by `check-file.ts`, which reads the known names from these shapes.
 */
const json = z.record(z.string(), z.unknown());
const strings = z.record(z.string(), z.string());
const list = z.array(z.string());
const price = z.number().check(z.nonnegative());
const count = z.number().check(z.int(), z.nonnegative());

/** An object all of whose fields may be absent. `extra` names are allowed and their values not looked at. */
const shape = <T extends z.core.$ZodShape>(fields: T, ...extra: string[]) => ({
  known: z.partial(z.looseObject(fields)),
  names: new Set([...Object.keys(fields), ...extra]),
});

const selected = shape({
  model: z.string(),
  provider: z.string(),
  reasoning_effort: z.string(),
  think: z.boolean(),
  max_tokens: count,
  temperature: z.number(),
  top_p: z.number(),
  top_k: z.number(),
  frequency_penalty: z.number(),
  presence_penalty: z.number(),
  provider_options: json,
});

const model = shape({
  name: z.string(),
  cost_per_1m_in: price,
  cost_per_1m_out: price,
  cost_per_1m_in_cached: price,
  cost_per_1m_out_cached: price,
  context_window: count,
  default_max_tokens: count,
  can_reason: z.boolean(),
  supports_attachments: z.boolean(),
  reasoning_levels: list,
  default_reasoning_effort: z.string(),
  options: json,
});

const provider = shape(
  {
    id: z.string(),
    name: z.string(),
    type: z.string(),
    base_url: z.string(),
    api_key: z.string(),
    disable: z.boolean(),
    flat_rate: z.boolean(),
    discover_models: z.boolean(),
    /** Ours: true speaks OpenAI's responses API, false its chat API; for type `openai`. */
    responses: z.boolean(),
    system_prompt_prefix: z.string(),
    extra_headers: strings,
    extra_body: json,
    provider_options: json,
    models: z.array(z.extend(model.known, { id: z.string().check(z.minLength(1)) })),
  },
  "oauth",
  "aws_auth_refresh",
);

const mcp = shape(
  {
    type: z.string(),
    command: z.string(),
    args: list,
    env: strings,
    url: z.string(),
    headers: strings,
    timeout: z.number(),
    disabled: z.boolean(),
    disabled_tools: list,
    enabled_tools: list,
  },
  "oauth",
  "oauth_client_id",
  "oauth_client_secret",
  "oauth_callback_port",
  "oauth_token",
);

const lsp = shape({
  command: z.string(),
  args: list,
  env: strings,
  filetypes: list,
  root_markers: list,
  init_options: json,
  options: json,
  timeout: z.number(),
  disabled: z.boolean(),
});

const options = shape(
  {
    context_paths: list,
    global_context_paths: list,
    skills_paths: list,
    disabled_tools: list,
    disabled_skills: list,
    disable_default_providers: z.boolean(),
    disable_auto_summarize: z.boolean(),
    data_directory: z.string(),
    attribution: json,
  },
  // They do not matter to a run: interactive screen, updates, metrics, logs.
  "tui",
  "debug",
  "debug_lsp",
  "disable_provider_auto_update",
  "disable_metrics",
  "auto_lsp",
  "progress",
  "initialize_as",
  "notifications",
);

/** `allowed_tools` is Crush's; the others are ours. */
const permissions = shape({ allowed_tools: list, allow: list, deny: list });
const models = shape({ large: selected.known, small: selected.known });
const hook = z.looseObject({ command: z.string() });

const file = shape(
  {
    models: models.known,
    providers: z.record(z.string(), provider.known),
    mcp: z.record(z.string(), mcp.known),
    lsp: z.record(z.string(), lsp.known),
    options: options.known,
    permissions: permissions.known,
    tools: json,
    hooks: z.record(z.string(), z.array(hook)),
    env: strings,
    /** Ours, and only in the user's own configuration: directories whose project files are trusted. */
    trusted_directories: list,
  },
  "$schema",
  "recent_models",
);

export const configSchema = file.known;

/** What a checked, merged configuration holds. */
export type CrushJson = z.infer<typeof configSchema>;
export type ProviderJson = z.infer<typeof provider.known>;
export type ModelJson = NonNullable<ProviderJson["models"]>[number];

/** Where fields have fixed names: a path with `*` for any name, and the names known there. */
export const KNOWN_FIELDS: readonly (readonly [
  path: readonly string[],
  names: ReadonlySet<string>,
])[] = [
  [[], file.names],
  [["models"], models.names],
  [["models", "*"], selected.names],
  [["providers", "*"], provider.names],
  [["providers", "*", "models", "*"], new Set([...model.names, "id"])],
  [["mcp", "*"], mcp.names],
  [["lsp", "*"], lsp.names],
  [["options"], options.names],
  [["permissions"], permissions.names],
];
