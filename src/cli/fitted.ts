/** A line cut to so many columns of a terminal; an ellipsis says that there is more. */
export async function fitted(line: string, columns: number): Promise<string> {
  if (line.length * 2 <= columns) return line; // no character is wider than two columns
  const { default: widthOf } = await import("string-width");
  if (widthOf(line) <= columns) return line;
  let kept = "";
  let width = 1; // of the ellipsis
  for (const { segment } of new Intl.Segmenter().segment(line)) {
    width += widthOf(segment);
    if (width > columns) break;
    kept += segment;
  }
  return `${kept}…`;
}
