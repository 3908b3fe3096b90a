import { briefingOf } from "../agent/briefing.ts";
import { asRead, tokensIn, tokensInText } from "../agent/context.ts";
import type { Config } from "../config/config.ts";
import { toSnake } from "../protocol/case.ts";
import { newMessageId, newSessionId } from "../protocol/ids.ts";
import type { Message } from "../protocol/message.ts";
import type { RunLimits, RunOptions } from "../protocol/run-options.ts";
import { SCHEMA_VERSION } from "../run/result-document.ts";
import { LONGEST_TIMER_MS } from "../shared/duration.ts";
import { isJsonObject, type Json, type JsonObject } from "../shared/json.ts";
import type { BegunConversation } from "./begun-conversation.ts";
import type { Asked } from "./read-prompt.ts";
import type { TriedTurn } from "./tried-turn.ts";

export interface DryRun {
  readonly config: Config;
  readonly turn: TriedTurn;
  readonly talk: BegunConversation;
  readonly asked: Asked;
  readonly options: RunOptions;
  readonly warnings: readonly string[];
}

/** Of `--output json`. */
export interface DryRunDocument extends JsonObject {
  readonly schema_version: number;
  readonly type: "run.dry_run";
  readonly cwd: string;
  readonly data_directory: string;
  /** Null: a new one. */
  readonly session_id: string | null;
  readonly provider: {
    readonly id: string;
    readonly type: string;
    readonly server: string | null;
    readonly key: TriedTurn["key"];
  };
  readonly model: string | null;
  readonly context_window: number | null;
  readonly parameters: JsonObject;
  readonly system: string;
  readonly tools: readonly {
    readonly name: string;
    readonly description: string;
    readonly input_schema: JsonObject;
  }[];
  readonly attachments: readonly {
    readonly name: string;
    readonly path: string;
    readonly mime_type: string;
    readonly bytes: number;
  }[];
  readonly prompt: string;
  readonly limits: JsonObject;
  readonly options: JsonObject;
  readonly estimated_tokens: {
    readonly system: number;
    readonly tools: number;
    readonly conversation: number;
    readonly prompt: number;
    readonly total: number;
  };
  readonly config_sources: readonly string[];
  readonly unknown: readonly string[];
  readonly warnings: readonly string[];
}

/** What a run would send, and to whom, as programs read it: every field is always there. Nothing in it is masked yet. */
export function dryRunDocument({
  config,
  turn,
  talk,
  asked,
  options,
  warnings,
}: DryRun): DryRunDocument {
  const { setup, provider, model, server, key, parameters, unknown } = turn;
  const briefing = briefingOf(setup);
  const tools = briefing.tools.map(({ name, description, inputSchema }) => ({
    name,
    description,
    input_schema: inputSchema,
  }));
  const tokens = {
    system: Math.ceil(tokensInText(briefing.system.length)),
    tools: Math.ceil(
      tokensInText(
        tools.reduce(
          (sum, tool) => sum + tool.description.length + JSON.stringify(tool.input_schema).length,
          0,
        ),
      ),
    ),
    conversation: Math.ceil(tokensIn(asRead(talk.messages, setup.takesFiles))),
    prompt: Math.ceil(tokensIn([userMessage(asked)])),
  };
  const { system: _, appendSystem: __, ...told } = options;
  return {
    schema_version: SCHEMA_VERSION,
    type: "run.dry_run",
    cwd: config.workingDirectory,
    data_directory: config.dataDirectory,
    session_id: talk.sessionId,
    provider: { id: provider.id, type: provider.type, server, key },
    model,
    context_window: setup.contextWindow,
    parameters,
    system: briefing.system,
    tools,
    attachments: asked.attachments.map((attachment) => ({
      name: attachment.name,
      path: attachment.path,
      mime_type: attachment.mimeType,
      bytes: Buffer.byteLength(attachment.content, "base64"),
    })),
    prompt: asked.prompt,
    limits: limitsIn(setup.limits),
    options: objectOf(toSnake(told)),
    estimated_tokens: { ...tokens, total: Object.values(tokens).reduce((sum, n) => sum + n, 0) },
    config_sources: config.sources,
    unknown,
    warnings,
  };
}

function limitsIn(limits: RunLimits): JsonObject {
  const { idleTimeoutMs } = limits;
  const none = idleTimeoutMs === LONGEST_TIMER_MS;
  return objectOf(toSnake({ ...limits, idleTimeoutMs: none ? null : idleTimeoutMs }));
}

const objectOf = (value: Json): JsonObject => (isJsonObject(value) ? value : {});

/** As the server would store it. */
const userMessage = ({ prompt, attachments }: Asked): Message => ({
  id: newMessageId(),
  sessionId: newSessionId(),
  role: "user",
  parts: [
    { type: "text", text: prompt },
    ...attachments.map(({ path, mimeType, content }) => ({
      type: "binary" as const,
      path,
      mimeType,
      data: content,
    })),
  ],
  model: "",
  provider: "",
  createdAt: 0,
  updatedAt: 0,
});

/** The same without what `mask` takes out of its texts; no name of a field has anything in it. */
export const maskedDocument = (
  document: DryRunDocument,
  mask: (text: string) => string,
): DryRunDocument =>
  JSON.parse(JSON.stringify(document), (_, value: unknown) =>
    typeof value === "string" ? mask(value) : value,
  ) as DryRunDocument;
