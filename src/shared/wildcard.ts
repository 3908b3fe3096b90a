/** Whether `*` in a pattern, for any characters, makes it the text. Linear in time but for the product of both lengths. */
export function wildcard(pattern: string, text: string): boolean {
  let at = 0;
  let next = 0;
  let star = -1;
  let taken = 0;
  while (at < text.length) {
    if (pattern[next] === "*") {
      star = next;
      taken = at;
      next += 1;
    } else if (next < pattern.length && pattern[next] === text[at]) {
      next += 1;
      at += 1;
    } else if (star !== -1) {
      // The last star takes one character more.
      next = star + 1;
      taken += 1;
      at = taken;
    } else return false;
  }
  while (pattern[next] === "*") next += 1;
  return next === pattern.length;
}
