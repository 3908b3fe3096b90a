import { toSnake } from "../protocol/case.ts";
import type { RunEvent } from "../protocol/run-event.ts";
import type { Json, JsonObject } from "../shared/json.ts";
import type { Heard } from "./heard.ts";
import { SCHEMA_VERSION, type RunFacts } from "./result-document.ts";

/** One line of a stream of events, before it is numbered. */
export interface StreamItem {
  readonly type: string;
  readonly fields: JsonObject;
}

/** What stands on each line: its number, its time, and whose it is. */
export interface LineStamp {
  /** 1 for the first line, without a gap. */
  readonly seq: number;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

/** The first line of a run that was asked for, with what the configuration warned of. */
export function beginning(facts: RunFacts, { model }: Pick<Heard, "model">): readonly StreamItem[] {
  const { cwd, prompt, configSources } = facts;
  return [
    { type: "run.started", fields: { model, cwd, prompt, config_sources: configSources } },
    ...facts.warnings.map((message) => ({
      type: "warning",
      fields: { code: "configuration", message },
    })),
  ];
}

/** Null for what has no line: the beginning has its own, and a sign of life says nothing. */
export function itemOf(event: RunEvent): StreamItem | null {
  if (event.type === "run.started" || event.type === "tool.progress") return null;
  const { type, runId: _run, sessionId: _session, ...fields } = event;
  return { type, fields: toSnake(fields) as JsonObject };
}

export function lineOf(
  { type, fields }: StreamItem,
  { runId, sessionId }: Pick<RunFacts, "runId" | "sessionId">,
  stamp: LineStamp,
): string {
  const head = { schema_version: SCHEMA_VERSION, ...numbered(stamp), type };
  return jsonLine({ ...head, run_id: runId, session_id: sessionId, ...fields });
}

/** The result as the last line of a stream. */
export const resultLine = (result: JsonObject, stamp: LineStamp): string =>
  jsonLine({ schema_version: SCHEMA_VERSION, ...numbered(stamp), ...result });

/** A document on one line, whatever the reader takes for the end of a line; nothing in it moves a terminal. */
export const jsonLine = (document: Json): string =>
  `${JSON.stringify(document).replace(/[\u007f-\u009f\u2028\u2029]/g, escaped)}\n`;

const escaped = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

const numbered = ({ seq, at }: LineStamp): { readonly seq: number; readonly ts: string } => ({
  seq,
  ts: new Date(at).toISOString(),
});
