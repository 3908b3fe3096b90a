import { failure, RunFailed } from "../protocol/ending.ts";
import { textOf, type Message, type Part, type Span } from "../protocol/message.ts";
import type { StepResult } from "./model-step.ts";

/** What the model is when it summarises. */
export const SUMMARY_SYSTEM = `You write the note with which another agent takes over an unfinished piece of work. It sees your note and nothing else \
of the conversation: what the note leaves out is lost.

Write down, in the language of the conversation and as plain text with headings:

- what was asked for, word for word where the wording matters, with every constraint and preference that was stated;
- what has been done, and what is true because of it: files read, created or changed (with their paths), commands run, what they showed;
- what was found out: names, places, numbers, error messages, decisions and the reasons for them, what was tried and did not work;
- what is still to be done, in order, and where exactly to go on.

Be complete before you are short, and exact: paths, identifiers, commands and quotations as they were. Report only what the conversation holds. Do not go on \
with the work, do not answer its questions, and write nothing around the note.`;

/** The last user message of the call that summarises; stored nowhere. */
export const SUMMARY_REQUEST: Message = {
  id: "" as Message["id"],
  sessionId: "" as Message["sessionId"],
  role: "user",
  parts: [{ type: "text", text: "Write the note about the conversation above now." }],
  model: "",
  provider: "",
  createdAt: 0,
  updatedAt: 0,
};

/** The content of the summary message. Throws `RunFailed` for an answer that cannot stand for a conversation. */
export function summaryParts(step: StepResult, span: Span, provider: string): readonly Part[] {
  const isCutOff = step.finish === "max_tokens" || step.finish === "error";
  if (isCutOff || step.finish === "content_filter" || textOf(step).trim() === "") {
    const why = isCutOff ? "it was cut off" : "it was empty or withheld";
    throw new RunFailed(
      failure("context", `the conversation is too long, and its summary is of no use: ${why}`, {
        remedy: "start a new session, or use a model with a larger context",
        provider,
      }),
    );
  }
  const said = step.parts.filter(({ type }) => type !== "tool_call");
  const time = Math.floor(span.endedMs / 1000);
  const took = { ...span, usage: step.usage };
  return [...said, { type: "finish", reason: "end_turn", time, step: took }];
}

/** The prompt with which a turn goes on that its summary has interrupted. */
export function continuationOf(requests: readonly Message[]): readonly Part[] {
  const asked = requests.map((request) => textOf(request)).join("\n\n");
  const text = `The work was interrupted because the conversation had become too long; the summary stands for what came before. The original request \
was:\n\n${asked}\n\nGo on from where the summary ends.`;
  const attached = requests.flatMap(({ parts }) => parts.filter(({ type }) => type === "binary"));
  return [{ type: "text", text }, ...attached, { type: "finish", reason: "stop", time: 0 }];
}

export const noRoomLeft = (provider: string): RunFailed =>
  new RunFailed(
    failure("context", "the conversation fills the model's context again after each summary", {
      remedy: "start a new session, ask for less at once, or use a model with a larger context",
      provider,
    }),
  );
