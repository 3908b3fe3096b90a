import { createHash } from "node:crypto";

/**
 * What stands in the environment of every process that a run has started. Whoever starts a run may choose its id, and choose the same one
 * in another directory: the mark is that of one run alone.
 */
export const runMark = (dataDirectory: string, runId: string): string =>
  createHash("sha256")
    .update(JSON.stringify([dataDirectory, runId]))
    .digest("hex")
    .slice(0, 32);
