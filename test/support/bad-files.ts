import { execFileSync } from "node:child_process";
import { mkdirSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { CrushPlace } from "./crush.ts";

export const PNG = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");

/** Files that no flag takes, and some that one of them does not; none is called `gone`. */
export function badFiles(place: CrushPlace): void {
  mkdirSync(join(place.work, "folder"));
  place.write("a.png", PNG);
  place.write("fake.png", "this is text");
  place.write("a.zip", Buffer.from("PK\u0003\u0004\u0000", "latin1"));
  place.write("latin1", Buffer.from("caf\u00e9", "latin1"));
  place.write("utf16", Buffer.from("\uFEFFhi", "utf16le"));
  place.write("blank", " \n");
  place.write("empty", "");
  truncateSync(place.write("large", ""), 65 * 1024 * 1024);
  place.write("long.txt", "x".repeat(1024 * 1024 + 1));
  place.write("big.png", Buffer.concat([PNG, Buffer.alloc(10 * 1024 * 1024)]));
  for (const name of ["one.png", "two.png", "three.png"])
    place.write(name, Buffer.concat([PNG, Buffer.alloc(7 * 1024 * 1024)]));
  execFileSync("mkfifo", [join(place.work, "fifo")]);
}
