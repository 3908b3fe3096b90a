import type { MessageId } from "../protocol/ids.ts";

/**
 * What of a run's text has been printed, when it is printed as it comes. Never retracts: text that was withdrawn is compared with what
 * comes instead, and only what differs is printed (INV-34, CLI-18). A text that turns out to be another than what was printed
 * of it is printed again, whole, after a blank line.
 */
export interface LiveText {
  /** The message being printed; null before the first. */
  readonly messageId: MessageId | null;
  /** Its text so far, as the stream told it; all of it is printed, unless `ahead` holds more. */
  readonly text: string;
  /** Printed of the message, from its start, and then withdrawn; `""` or longer than `text`, which it begins with. */
  readonly ahead: string;
  /** The last character printed of the whole run; `""` before the first. */
  readonly lastChar: string;
  /** Events were lost: deltas may follow a hole, and wait for the whole text. */
  readonly doubtful: boolean;
}

export const NO_TEXT: LiveText = {
  messageId: null,
  text: "",
  ahead: "",
  lastChar: "",
  doubtful: false,
};

type Printed = readonly [LiveText, string];

/** More text of a message; next state and what to print. */
export function addText(state: LiveText, messageId: MessageId, delta: string): Printed {
  if (delta === "" || state.doubtful) return [state, ""];
  if (messageId !== state.messageId) return printFrom(state, messageId, delta);
  const text = state.text + delta;
  if (state.ahead === "") return printed({ ...state, text }, delta);
  if (state.ahead.length > text.length && state.ahead.startsWith(text))
    return [{ ...state, text }, ""];
  return printRest(state, text);
}

/** The message starts again, and is told from its start. */
export function resetText(state: LiveText, messageId: MessageId): LiveText {
  if (messageId !== state.messageId) return { ...state, doubtful: false };
  return { ...state, text: "", ahead: shownOf(state), doubtful: false };
}

/** The whole text of a message: print what the stream lost on the way. */
export function completeText(state: LiveText, messageId: MessageId, whole: string): Printed {
  if (whole === "") return [state, ""];
  if (messageId !== state.messageId) return printFrom(state, messageId, whole);
  return printRest(state, whole);
}

/** Events were lost. */
export const doubtText = (state: LiveText): LiveText => ({ ...state, doubtful: true });

/** A message begins, and is told from its start. */
export const trustText = (state: LiveText): LiveText =>
  state.doubtful ? { ...state, doubtful: false } : state;

const shownOf = ({ text, ahead }: LiveText): string => (ahead === "" ? text : ahead);

function printRest(state: LiveText, text: string): Printed {
  const shown = shownOf(state);
  const next = { ...state, text, ahead: "" };
  if (text.startsWith(shown)) return printed(next, text.slice(shown.length));
  return printed(next, separator(state.lastChar) + text);
}

const printFrom = (state: LiveText, messageId: MessageId, text: string): Printed =>
  printed({ ...state, messageId, text, ahead: "" }, separator(state.lastChar) + text);

const printed = (state: LiveText, output: string): Printed => [
  { ...state, lastChar: output.at(-1) ?? state.lastChar },
  output,
];

/** A blank line between steps. */
const separator = (lastChar: string): string =>
  lastChar === "" ? "" : lastChar === "\n" ? "\n" : "\n\n";
