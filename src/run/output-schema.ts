import * as z from "zod/mini";
import { ENDINGS } from "../protocol/ending.ts";
import { EVENT_FIELDS } from "../protocol/event-wire.ts";
import type { RunEvent } from "../protocol/run-event.ts";
import { isJsonObject, type JsonObject } from "../shared/json.ts";
import { SCHEMA_VERSION } from "./result-document.ts";

/**
 * The documents of `--output json` and `stream-json` as JSON Schema (draft 2020-12). What is only added within a `schema_version` (fields, types of
 * events, reasons, codes) is left open, so that the schema of today takes the documents of tomorrow.
 */
const DRAFT = "https://json-schema.org/draft/2020-12/schema";

export const resultSchema = (): JsonObject => ({
  $schema: DRAFT,
  $id: `urn:crush-run:result:${SCHEMA_VERSION}`,
  title: "The result of crush run",
  ...RESULT,
});

/** One line of a stream of events; `$defs` has each type. */
export function eventSchema(): JsonObject {
  const result = { ...RESULT, ...withHead(RESULT) };
  const known: Readonly<Record<string, JsonObject>> = {
    ...eventDefinitions(),
    "run.result": result,
  };
  return {
    $schema: DRAFT,
    $id: `urn:crush-run:event:${SCHEMA_VERSION}`,
    title: "One event of crush run",
    ...object("A line of --output stream-json, and of --events.", HEAD),
    allOf: Object.keys(known).map((type) => ({
      anyOf: [{ properties: { type: { not: { const: type } } } }, { $ref: `#/$defs/${type}` }],
    })),
    $defs: known,
  };
}

/** What has a line; a sign of life has none. */
type EventType = Exclude<RunEvent["type"], "tool.progress">;

const MEANINGS = {
  "run.started": "Always the first line of a run that came to be.",
  "run.queued": "It waits for prompts of its session.",
  "step.started": "A model call begins.",
  "text.delta": "More of what the model says.",
  "reasoning.delta": "More of what the model thinks.",
  "text.reset": "The step is tried again: forget the text of this message.",
  "message.completed": "The whole text of the step.",
  "step.completed": "The model call has ended.",
  "tool.started": "The model called a tool; input is the text that it wrote, as a rule JSON.",
  "tool.completed": "The tool has ended.",
  "tool.denied": "The call was refused.",
  "check.started": "The command of --check runs, for the nth time.",
  "check.completed": "It has ended; exit code 0 accepts the answer.",
  "summary.started": "The conversation filled the model's context and is summarised.",
  "summary.completed": "The summary is there.",
  retry: "A model call failed and is tried again after the wait.",
  warning: "Something to know about; the run goes on.",
} as const satisfies Record<EventType, string>;

const described = (description: string, schema: JsonObject): JsonObject => ({
  description,
  ...schema,
});
const text = (description: string): JsonObject => described(description, { type: "string" });
const count = (description: string): JsonObject =>
  described(description, { type: "integer", minimum: 0 });
const flag = (description: string): JsonObject => described(description, { type: "boolean" });
const list = (description: string, items: JsonObject): JsonObject =>
  described(description, { type: "array", items });
const orNull = (schema: JsonObject): JsonObject => ({
  ...schema,
  type: [schema["type"] ?? "null", "null"],
});

/** All fields of ours are always there. */
const object = (description: string, properties: JsonObject): JsonObject => ({
  description,
  type: "object",
  properties,
  required: Object.keys(properties),
});

const IDS = {
  run_id: orNull(text("For crush show. Null when it did not come that far.")),
  session_id: orNull(text("For --session. Null when it did not come that far.")),
};

const HEAD = {
  schema_version: described("Grows with a change that a reader would have to follow.", {
    const: SCHEMA_VERSION,
  }),
  seq: described("1 for the first line, without a gap.", { type: "integer", minimum: 1 }),
  ts: text("RFC 3339, milliseconds, UTC."),
  type: text("What happened. A reader passes over a type that it does not know."),
  ...IDS,
} satisfies JsonObject;

const TOKENS = {
  input_tokens: count("With the cached ones."),
  cached_input_tokens: count("Read from the provider's cache."),
  output_tokens: count("With those of its reasoning."),
  reasoning_tokens: count("Of the output, as far as the provider tells."),
};

const DENIAL = object("A tool call that was refused.", {
  call_id: text("Of the call."),
  name: text("Of the tool."),
  kind: described("denied: a rule forbids it. unapproved: nobody could approve it.", {
    enum: ["denied", "unapproved"],
  }),
  rule: text("What refused it."),
  remedy: text("What to do about it."),
});

const STRINGS = { type: "string" } as const;
const STATUSES = [...new Set(Object.values(ENDINGS).map(({ status }) => status))];

const RESULT = object("How a run ended. All fields are always there.", {
  schema_version: HEAD.schema_version,
  type: { const: "run.result" },
  status: described("How it ended, in a word.", { enum: STATUSES }),
  exit_code: described("Of the process; after a signal what a shell makes of the death by it.", {
    type: "integer",
    minimum: 0,
    maximum: 255,
  }),
  reason: described("Why it ended.", { type: "string", examples: Object.keys(ENDINGS) }),
  retryable: flag("Whether the same command may be tried again."),
  partial: flag("Whether the text is no whole answer."),
  text: text("The last message of the model, unchanged."),
  structured: described("The answer as --schema asks for it, else null.", {}),
  error: orNull(
    object("Null for a success.", {
      code: text("The reason."),
      message: text("What went wrong, one line."),
      remedy: text("What to do about it, one line."),
      http_status: orNull(count("Of the provider's answer.")),
      provider: orNull(text("Who answered.")),
    }),
  ),
  ...IDS,
  cwd: orNull(text("The working directory.")),
  models: list("The models that were asked, as provider/model.", STRINGS),
  usage: object("Tokens of all model calls.", {
    ...TOKENS,
    by_model: described("The same per model; empty when several models share the run.", {
      type: "object",
      additionalProperties: object("Of one model.", TOKENS),
    }),
  }),
  cost_usd: orNull(described("US dollars; null when a price is not known.", { type: "number" })),
  turns: count("Model calls that completed."),
  tool_calls: count("Tool calls."),
  denials: list(
    "Tool calls that were refused, by a rule or because nobody could approve them.",
    DENIAL,
  ),
  warnings: list("Of the configuration, then of the run.", STRINGS),
  config_sources: list("The configuration files that were read.", STRINGS),
  timings_ms: object("Milliseconds since the start of the process.", {
    first_request: orNull(count("Null when no model was asked.")),
    first_token: orNull(count("Null when no model answered.")),
    end: count("Of the run."),
  }),
});

const STARTED = object(MEANINGS["run.started"], {
  model: orNull(text("As provider/model; null when it is not known yet.")),
  cwd: text("The working directory."),
  prompt: text("What the model was asked."),
  config_sources: list("The configuration files that were read.", STRINGS),
});

function eventDefinitions(): Readonly<Record<string, JsonObject>> {
  return Object.fromEntries(
    Object.entries(MEANINGS).map(([type, description]) => {
      const fields = type === "run.started" ? STARTED : wireSchema(EVENT_FIELDS[type as EventType]);
      return [type, { description, ...withHead(fields, type) }];
    }),
  );
}

function withHead(schema: JsonObject, type?: string): JsonObject {
  const fields = isJsonObject(schema["properties"]) ? schema["properties"] : {};
  const head = type === undefined ? HEAD : { ...HEAD, type: { const: type } };
  const needed = Array.isArray(schema["required"]) ? schema["required"] : [];
  return {
    type: "object",
    properties: { ...head, ...fields },
    required: [...new Set([...Object.keys(head), ...needed])],
  };
}

/** Of what our client reads from the wire, with the names that the wire has. */
function wireSchema(shape: z.core.$ZodType): JsonObject {
  const made: unknown = JSON.parse(JSON.stringify(z.toJSONSchema(shape, { io: "input" })));
  const { properties, required } = isJsonObject(made) ? inSnakeCase(made) : {};
  return { properties, required };
}

function inSnakeCase(schema: JsonObject): JsonObject {
  const { properties, required, ...rest } = schema;
  if (!isJsonObject(properties)) return schema;
  const named = Object.entries(properties).map(([name, value]) => [
    snake(name),
    isJsonObject(value) ? inSnakeCase(value) : value,
  ]);
  const needed = Array.isArray(required) ? required.map((name) => snake(String(name))) : [];
  return { ...rest, properties: Object.fromEntries(named), required: needed };
}

const snake = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
