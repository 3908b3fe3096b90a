/** The first line of a text, at most `limit` characters; an ellipsis says that there is more. */
export function firstLine(text: string, limit = 100): string {
  const whole = text.trim();
  const [line = ""] = whole.split("\n", 1);
  return line.length > limit || line.length < whole.length ? `${line.slice(0, limit)} …` : line;
}
