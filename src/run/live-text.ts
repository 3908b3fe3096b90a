import type { MessageId } from "../protocol/ids.ts";

/**
 * What of a run's text has been printed, when it is printed as it comes. Never prints a thing twice and never retracts: text that was
 * withdrawn is compared with what comes instead, and only what differs is printed (INV-34, CLI-18).
 */
export interface LiveText {
  /** The message being printed; null before the first. */
  readonly messageId: MessageId | null;
  /** Its text so far, as the stream told it. */
  readonly text: string;
  /** Printed of the message, from its start, and then withdrawn. */
  readonly withdrawn: string;
  /** The last character printed of the whole run; `""` before the first. */
  readonly lastChar: string;
}

export const NO_TEXT: LiveText = { messageId: null, text: "", withdrawn: "", lastChar: "" };

/** More text of a message; next state and what to print. */
export function addText(
  state: LiveText,
  messageId: MessageId,
  delta: string,
): readonly [LiveText, string] {
  if (delta === "") return [state, ""];
  if (messageId !== state.messageId) {
    const gap = separator(state.lastChar);
    return printed({ ...state, messageId, text: delta, withdrawn: "" }, gap + delta);
  }
  const text = state.text + delta;
  if (state.withdrawn === "") return printed({ ...state, text }, delta);
  if (state.withdrawn.startsWith(text)) return [{ ...state, text }, ""];
  const next = { ...state, text, withdrawn: "" };
  if (text.startsWith(state.withdrawn)) return printed(next, text.slice(state.withdrawn.length));
  return printed(next, separator(state.lastChar) + text);
}

/** The message starts again. */
export function resetText(state: LiveText, messageId: MessageId): LiveText {
  if (messageId !== state.messageId) return state;
  const seen = state.withdrawn.length > state.text.length ? state.withdrawn : state.text;
  return { ...state, text: "", withdrawn: seen };
}

/** The whole text of a message: print what the stream lost on the way. */
export function completeText(
  state: LiveText,
  messageId: MessageId,
  whole: string,
): readonly [LiveText, string] {
  if (messageId !== state.messageId) return addText(state, messageId, whole);
  if (!whole.startsWith(state.text)) return [state, ""];
  return addText(state, messageId, whole.slice(state.text.length));
}

const printed = (state: LiveText, output: string): readonly [LiveText, string] => [
  { ...state, lastChar: output.at(-1) ?? state.lastChar },
  output,
];

/** A blank line between steps. */
const separator = (lastChar: string): string =>
  lastChar === "" ? "" : lastChar === "\n" ? "\n" : "\n\n";
