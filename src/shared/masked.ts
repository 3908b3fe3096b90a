/** So much of a secret's beginning, cut off by whoever echoed it, is as good as the secret. */
const TELLING = 12;

/** The text with every secret in it blotted out: as it is, as a URL writes it, and cut off behind its beginning. */
export function masked(text: string, secrets: readonly string[]): string {
  const forms = [...new Set(secrets.flatMap((secret) => [secret, encoded(secret)]))]
    .filter((form) => form !== "")
    // One may begin with another: what is left of it would show.
    .sort((a, b) => b.length - a.length);
  return forms.reduce((left, form) => withoutBeginning(left.replaceAll(form, "***"), form), text);
}

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

function encoded(secret: string): string {
  try {
    return encodeURIComponent(secret);
  } catch {
    return ""; // half a character
  }
}
