import { writeSync } from "node:fs";

/** Node takes a short write to a file for a whole one: the last bytes before a disk is full would be lost without a word. */
export function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}
