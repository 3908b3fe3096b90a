import type { MessageId } from "../protocol/ids.ts";
import { textOf, type Message, type Part } from "../protocol/message.ts";

/**
 * What counts of a stored conversation once it has been summarised: the summary, what was asked and not yet answered when it was
 * made, and what came after it. Summaries that failed never count. `summaryId` is null when there is none.
 */
export function fromSummary(
  stored: readonly Message[],
  summaryId: MessageId | null,
): readonly Message[] {
  const messages = stored.filter(({ id, isSummary }) => isSummary !== true || id === summaryId);
  const at = messages.findIndex(({ id }) => id === summaryId);
  const summary = messages[at];
  if (summary === undefined) return messages;
  return [summary, ...unansweredIn(messages.slice(0, at)), ...messages.slice(at + 1)];
}

/** The user messages at the end. */
export function unansweredIn(messages: readonly Message[]): readonly Message[] {
  const answered = messages.findLastIndex(
    ({ role, isSummary }) => role !== "user" || isSummary === true,
  );
  return messages.slice(answered + 1);
}

/** The same messages as the model is to read them: a summary is told to it, and what it cannot read is left out. */
export const asRead = (messages: readonly Message[], takesFiles: boolean): readonly Message[] =>
  messages.map((message) => {
    if (message.isSummary === true) return asTold(message);
    return takesFiles || !hasFiles(message) ? message : withoutFiles(message);
  });

/** Whether the message carries an image or another attachment that is no text. */
export const hasFiles = ({ parts }: Pick<Message, "parts">): boolean => parts.some(isFile);

const withoutFiles = (message: Message): Message => ({
  ...message,
  parts: message.parts.filter((part) => !isFile(part)),
});

const isFile = (part: Part): boolean =>
  part.type === "binary" && !part.mimeType.startsWith("text/");

const asTold = (summary: Message): Message => ({
  ...summary,
  role: "user",
  parts: [
    {
      type: "text",
      text: `The conversation so far, summarised because it had become too long:\n\n${textOf(summary)}`,
    },
  ],
});

/** Tokens that must be left of a context window, lest the conversation is summarised; what the reference leaves. */
export const reserveOf = (window: number): number =>
  window > LARGE_WINDOW ? LARGE_RESERVE : window / 5;

const LARGE_WINDOW = 200_000;
const LARGE_RESERVE = 20_000;

/** About as many tokens as these messages are: what an API charges is known only afterwards. */
export const tokensIn = (messages: readonly Message[]): number =>
  messages.reduce(
    (sum, { parts }) => sum + parts.reduce((all, part) => all + tokensOf(part), 0),
    0,
  );

const tokensOf = (part: Part): number => {
  switch (part.type) {
    case "text":
      return tokensInText(part.text.length);
    case "reasoning":
      return tokensInText(part.thinking.length);
    case "tool_call":
      return tokensInText(part.name.length + part.input.length);
    case "tool_result":
      return tokensInText(part.content.length);
    case "binary":
      return isFile(part) ? FILE_TOKENS : tokensInText((part.data.length * 3) / 4);
    case "finish":
      return 0;
  }
};

/** Of so many characters. */
export const tokensInText = (chars: number): number => chars / 4;

/** An image of the usual size. */
const FILE_TOKENS = 1_500;
