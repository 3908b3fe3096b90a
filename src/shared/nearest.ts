/**
 * The candidates most like `wanted`: those that begin with it, then those that hold it or differ in a few letters, each the
 * most similar first. Those that share too little with it are left out.
 */
export function nearest(
  wanted: string,
  candidates: readonly string[],
  atMost: number,
): readonly string[] {
  const target = wanted.toLowerCase();
  return candidates
    .map((candidate) => ({ candidate, ...likeness(target, candidate.toLowerCase()) }))
    .filter(({ close }) => close)
    .sort(
      (a, b) =>
        Number(b.begins) - Number(a.begins) ||
        a.distance - b.distance ||
        (a.candidate < b.candidate ? -1 : 1),
    )
    .slice(0, atMost)
    .map(({ candidate }) => candidate);
}

function likeness(target: string, candidate: string) {
  const distance = distanceOf(target, candidate);
  // A letter or two stand in almost every name.
  const begins = target.length >= 2 && candidate.startsWith(target);
  const holds = target.length >= 3 && candidate.includes(target);
  const misspelt = distance <= Math.max(target.length, candidate.length) * 0.4;
  return { distance, begins, close: begins || holds || misspelt };
}

/** Levenshtein distance. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
