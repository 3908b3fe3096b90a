/** What `--output` may say. */
export const FORMATS = ["text", "json", "stream-json"] as const;
export type Format = (typeof FORMATS)[number];
