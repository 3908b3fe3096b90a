import { stripVTControlCharacters } from "node:util";

/**
 * Stands in for `string-width` in the bundle: the package builds an `Intl.Segmenter` and compiles emoji
 * expressions when it is loaded, which costs every start 14 to 25 ms. yargs lays out help with it, ora counts the lines to
 * erase. A grapheme made of several emoji counts once per emoji here; nothing else differs in our texts.
 */
export default function stringWidth(text: string): number {
  const visible = stripVTControlCharacters(text);
  if (PRINTABLE_ASCII.test(visible)) return visible.length;
  let width = 0;
  for (const character of visible) {
    if (!ZERO_WIDTH.test(character)) width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}

// Literals are compiled at their first use, not when the module is loaded.
const PRINTABLE_ASCII = /^[ -~]*$/;
const ZERO_WIDTH = /[\p{Mn}\p{Me}\p{Cc}\p{Cf}]/u;
const WIDE =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\u9FFF\uA000-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1F64F}\u{1F680}-\u{1F6FF}\u{1F900}-\u{1F9FF}\u{20000}-\u{3FFFD}]/u;
