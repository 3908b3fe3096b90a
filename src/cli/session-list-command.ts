import { jsonLine } from "../run/json-lines.ts";
import { shortTime } from "../transcript/rfc3339.ts";
import type { Flags } from "./flag-values.ts";
import { fitted } from "./fitted.ts";
import { oneLine } from "./one-line.ts";
import { printOut } from "./print-out.ts";
import { SHORT, withSessions } from "./with-sessions.ts";

/** `crush session list`: short name, when it was changed, title. */
export async function listSessions(flags: Flags): Promise<number> {
  const asJson = flags.flag("json") ?? false;
  return await withSessions(flags, async ({ list, hash, json, clean }) => {
    const sessions = list();
    if (asJson) return await printOut(jsonLine(sessions.map(json.entry)));
    const width = process.stdout.isTTY ? process.stdout.columns || 80 : Infinity;
    const lines = await Promise.all(
      sessions.map(async ({ id, updatedAt, title }) => {
        const head = `${hash(id).slice(0, SHORT)}  ${shortTime(updatedAt)}  `;
        return `${head}${await fitted(oneLine(clean(title)), width - head.length)}\n`;
      }),
    );
    if (lines.length === 0) process.stderr.write("There are no sessions in this directory yet.\n");
    return await printOut(lines.join(""));
  });
}
