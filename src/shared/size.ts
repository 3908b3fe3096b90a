const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Bytes of a size as people write it (`4096`, `64k`, `10m`, `1g`); null for anything else. */
export function parseSize(text: string): number | null {
  const match = /^(\d+)([kmg]?)$/i.exec(text.trim());
  if (match === null) return null;
  const bytes = Number(match[1]) * (UNITS[(match[2] ?? "").toLowerCase()] ?? 1);
  return Number.isSafeInteger(bytes) ? bytes : null;
}
