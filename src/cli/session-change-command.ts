import { jsonLine } from "../run/json-lines.ts";
import type { Flags } from "./flag-values.ts";
import { oneLine } from "./one-line.ts";
import { printOut } from "./print-out.ts";
import { usage } from "./usage.ts";
import { LONG, withSessions } from "./with-sessions.ts";

const LONGEST_TITLE = 1_000;

/** `crush session delete`: asks nobody. Refused while a living process works in the session. */
export async function deleteSession(typed: string, flags: Flags): Promise<number> {
  const asJson = flags.flag("json") ?? false;
  return await withSessions(flags, async ({ find, archive, hash, json, clean }) => {
    let session = find(typed);
    // A run may have ended in it since we looked.
    while (!archive().remove(session)) session = find(session.id);
    return await printOut(
      asJson
        ? jsonLine(json.changed(session, "deleted"))
        : `Deleted ${hash(session.id).slice(0, LONG)} ${oneLine(clean(session.title))}\n`,
    );
  });
}

/** `crush session rename` */
export async function renameSession(
  typed: string,
  words: readonly string[],
  flags: Flags,
): Promise<number> {
  const asJson = flags.flag("json") ?? false;
  const title = oneLine(words.join(" "));
  if (title === "") throw usage("the new title is empty", "give the session a title");
  if (title.length > LONGEST_TITLE)
    throw usage(
      `the new title has ${title.length} characters`,
      `use at most ${LONGEST_TITLE} of them`,
    );
  return await withSessions(flags, async ({ find, archive, hash, json, clean }) => {
    const session = { ...find(typed), title };
    archive().rename(session.id, title);
    return await printOut(
      asJson
        ? jsonLine(json.changed(session, "renamed"))
        : `Renamed ${hash(session.id).slice(0, LONG)} to ${clean(title)}\n`,
    );
  });
}
