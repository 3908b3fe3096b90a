import type { AnswerSchema } from "../protocol/answer-schema.ts";
import { failure } from "../protocol/ending.ts";
import type { Json } from "../shared/json.ts";
import { ANSWER_TOOL, parsed, type AnswerForm, type Candidate } from "./answer-form.ts";
import { lossIn } from "./exact-json.ts";
import type { Verdict } from "./gates.ts";

/** An answer as the model gave it. */
export type Said =
  | { readonly type: "text"; readonly text: string }
  /** `alone`: it is the only call of its step. */
  | { readonly type: "call"; readonly input: string; readonly alone: boolean };

/** What an answer has to be like. */
export interface Wanted {
  readonly schema: AnswerSchema;
  readonly form: AnswerForm;
}

/** An answer that follows its schema. */
export interface Structured {
  readonly value: Json;
  /** Compact JSON. */
  readonly text: string;
}

/** So often a model may give its answer anew. */
export const MOST_REPAIRS = 2;

/** The structured answer, or what is wrong with what was said, one line each. */
export function readAnswer(said: Said, wanted: Wanted): Structured | readonly string[] {
  if (said.type === "call" && !said.alone) return [NOT_ALONE];
  const candidates = candidatesIn(said, wanted.form);
  if (candidates.length === 0) return [said.type === "text" ? NO_CALL : NO_JSON];
  const told = candidates.map(({ value, json }) => {
    const loss = json === null ? null : lossIn(json);
    return { value, wrong: loss === null ? wanted.schema.violations(value) : [loss] };
  });
  const right = told.find(({ wrong }) => wrong.length === 0);
  if (right === undefined) return told[0]?.wrong ?? [];
  return { value: right.value, text: JSON.stringify(right.value) };
}

/** What becomes of an answer with these faults after so many repairs. */
export function refused(faults: readonly string[], said: Said, repairs: number): Verdict {
  if (repairs >= MOST_REPAIRS) {
    const message = `the answer does not follow the schema, after ${MOST_REPAIRS} repairs: ${faults.join("; ")}`;
    return { type: "fail", failure: failure("schema", message) };
  }
  const list = faults.map((fault) => `- ${fault}`).join("\n");
  const ask =
    said.type === "text"
      ? `What you said is not the answer that was asked for:\n${list}\nGive it as the input of \`${ANSWER_TOOL}\`.`
      : `The answer was refused:\n${list}\nCorrect that and call \`${ANSWER_TOOL}\` again, alone.`;
  return { type: "again", words: ask };
}

const NOT_ALONE = `${ANSWER_TOOL} was not called alone: see what the other calls bring first`;
const NO_CALL = `it is neither a call of ${ANSWER_TOOL} nor a JSON document`;
const NO_JSON = "the input is no JSON";

function candidatesIn(said: Said, form: AnswerForm): readonly Candidate[] {
  if (said.type === "text") return documentIn(said.text);
  const input = parsed(said.input);
  return input === undefined ? [] : form.read(input, said.input);
}

/** The JSON document that a text is, or the one fenced block of it holds. */
function documentIn(text: string): readonly Candidate[] {
  const whole = parsed(text);
  if (whole !== undefined) return [{ value: whole, json: text }];
  const block = FENCED.exec(text)?.[1];
  const value = block === undefined ? undefined : parsed(block);
  return value === undefined || block === undefined ? [] : [{ value, json: block }];
}

const FENCED = /^\s*```(?:json)?[^\S\n]*\n([\s\S]*)\n[^\S\n]*```\s*$/i;
