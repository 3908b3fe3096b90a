import { shortened } from "../shared/cut.ts";

/** Well-known readers of JSON, such as jq, follow no more. */
const DEEPEST = 256;

/** Quotes, escapes, what opens and closes, numbers. */
const TOKENS = /"|\\.|[[{]|[\]}]|-?\d[\d.eE+-]*/gs;

/**
 * Why a JSON text would not be the same after it was read: a number that cannot be kept exactly becomes another one without a word, and
 * nesting without end breaks its readers. Null: nothing is lost.
 */
export function lossIn(json: string): string | null {
  let isString = false;
  let depth = 0;
  for (const [token] of json.matchAll(TOKENS)) {
    if (token === '"') isString = !isString;
    else if (isString || token.startsWith("\\")) continue;
    else if ("[{".includes(token)) depth += 1;
    else if ("]}".includes(token)) depth -= 1;
    else if (!isExact(token))
      return `${shortened(token, 40)} is a number that cannot be kept exactly: a text would keep it`;
    if (depth > DEEPEST) return `the answer is nested more than ${DEEPEST} levels deep`;
  }
  return null;
}

/** Fractions are rounded by nature; a whole number that changes is another one. */
function isExact(number: string): boolean {
  const value = Number(number);
  return Number.isFinite(value) && (!/^-?\d+$/.test(number) || Number.isSafeInteger(value));
}
