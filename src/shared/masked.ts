/** So much of a secret's beginning, cut off by whoever echoed it, is as good as the secret. */
const TELLING = 12;

/** Blots secrets out of texts. */
export interface Mask {
  /** The text with every secret in it blotted out: as it is, as a URL or JSON writes it, and cut off behind its beginning. */
  whole(text: string): string;
  /**
   * Of a text that goes on: how much of it may be shown now. What stands behind may be the beginning of a secret. The two parts are
   * blotted out alone as they are together.
   */
  settled(text: string): number;
}

/** The text without these secrets. */
export const masked = (text: string, secrets: readonly string[]): string =>
  createMask(() => secrets).whole(text);

/** `secrets` is asked each time: it may grow, at its end. */
export function createMask(secrets: () => readonly string[]): Mask {
  let known = 0;
  let forms: readonly string[] = [];
  const current = (): readonly string[] => {
    const all = secrets();
    if (all.length !== known) {
      known = all.length;
      forms = formsOf(all);
    }
    return forms;
  };
  return {
    whole: (text) =>
      current().reduce((left, form) => withoutBeginning(left.replaceAll(form, "***"), form), text),
    settled: (text) => settledIn(text, current()),
  };
}

const formsOf = (secrets: readonly string[]): readonly string[] =>
  [...new Set(secrets.flatMap((secret) => [secret, encoded(secret), inJson(secret)]))]
    .filter((form) => form !== "")
    // One may begin with another: what is left of it would show.
    .sort((a, b) => b.length - a.length);

function withoutBeginning(text: string, secret: string): string {
  if (secret.length <= TELLING) return text;
  let left = text;
  for (;;) {
    const at = left.indexOf(secret.slice(0, TELLING));
    if (at === -1) return left;
    let length = TELLING;
    while (length < secret.length && left[at + length] === secret[length]) length += 1;
    left = `${left.slice(0, at)}***${left.slice(at + length)}`;
  }
}

function settledIn(text: string, forms: readonly string[]): number {
  let cut = text.length;
  for (const form of forms) cut = Math.min(cut, beginningAt(text, form));
  // Not through the middle of one that stands there whole, or as far as it tells.
  for (let before = -1; before !== cut;) {
    before = cut;
    for (const form of forms) cut = Math.min(cut, straddled(text, form, cut));
  }
  return cut;
}

/** Where the end of the text may be the beginning of the form; its length when it is not. */
function beginningAt(text: string, form: string): number {
  const first = form.charAt(0);
  const from = Math.max(0, text.length - form.length + 1);
  for (let at = text.indexOf(first, from); at !== -1; at = text.indexOf(first, at + 1))
    if (form.startsWith(text.slice(at))) return at;
  return text.length;
}

/** Where a telling beginning of the form starts that goes over the cut; else the cut. */
function straddled(text: string, form: string, cut: number): number {
  const least = Math.min(TELLING, form.length);
  const from = Math.max(0, cut - form.length + 1);
  const telling = form.slice(0, least);
  for (let at = text.indexOf(telling, from); at !== -1 && at < cut;) {
    let length = least;
    while (length < form.length && text[at + length] === form[length]) length += 1;
    if (at + length > cut) return at;
    at = text.indexOf(telling, at + 1);
  }
  return cut;
}

/** Input of tools and structured answers are shown as JSON text. */
const inJson = (secret: string): string => JSON.stringify(secret).slice(1, -1);

function encoded(secret: string): string {
  try {
    return encodeURIComponent(secret);
  } catch {
    return ""; // half a character
  }
}
