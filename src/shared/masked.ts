/** The text with every secret in it blotted out. */
export function masked(text: string, secrets: readonly string[]): string {
  return secrets.reduce(
    (left, secret) => (secret === "" ? left : left.replaceAll(secret, "***")),
    text,
  );
}
