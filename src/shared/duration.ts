const UNITS: Readonly<Record<string, number>> = {
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
};

/** The longest time a timer of Node keeps (24.8 days); a longer one would fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Milliseconds of a duration as people write it: bare seconds (`30`, `0.5`) or parts from the largest unit to the
 * smallest (`250ms`, `30s`, `5m`, `1h30m`). Rounded to whole milliseconds; null when it is not a duration.
 */
export const parseDuration = (text: string): number | null =>
  /[dw]/.test(text) ? null : parseAge(text);

/** The same for how old something is, which may be said in days (`30d`) and weeks (`12w`) too. */
export function parseAge(text: string): number | null {
  if (/^\d+(\.\d+)?$/.test(text)) return checked(Number(text) * 1000);
  if (!/^(\d+(\.\d+)?(ms|w|d|h|m|s))+$/.test(text)) return null;
  let total = 0;
  let above = Number.POSITIVE_INFINITY;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|w|d|h|m|s)/g)) {
    const size = UNITS[unit ?? ""] ?? 0;
    if (size >= above) return null;
    above = size;
    total += Number(amount) * size;
  }
  return checked(total);
}

const checked = (ms: number): number | null => {
  const whole = Math.round(ms);
  return Number.isSafeInteger(whole) ? whole : null;
};
