import { ENDINGS, failure, RunFailed } from "../protocol/ending.ts";
import type { Session } from "../protocol/session.ts";
import { jsonLine } from "../run/json-lines.ts";
import { shortTime } from "../transcript/rfc3339.ts";
import { printError } from "./error-line.ts";
import type { Flags } from "./flag-values.ts";
import { oneLine } from "./one-line.ts";
import { printOut } from "./print-out.ts";
import { usage } from "./usage.ts";
import { SHORT, withSessions, type Sessions } from "./with-sessions.ts";

/** `crush session prune`: those that are old enough and not among the ones to keep. Busy ones stay, and make it end with 5. */
export async function pruneSessions(flags: Flags): Promise<number> {
  const asJson = flags.flag("json") ?? false;
  const dryRun = flags.flag("dry-run") ?? false;
  const keep = flags.count("keep");
  const olderThanMs = flags.age("older-than");
  if (keep === null && olderThanMs === null)
    throw usage(
      "crush session prune needs to know which sessions",
      "say --older-than 30d, or --keep 20, or both",
    );
  const before = olderThanMs === null ? Infinity : Math.floor((Date.now() - olderThanMs) / 1000);
  return await withSessions(flags, async (sessions) => {
    if (!dryRun && !sessions.areCertain)
      throw new RunFailed(
        failure("invalid_config", "a configuration file may name other sessions than these", {
          remedy: "correct the file, or name the directory of the sessions with --data-dir",
        }),
      );
    const all = sessions.list();
    const due = all.slice(keep ?? 0).filter(({ updatedAt }) => updatedAt <= before);
    const { gone, busy } = dryRun ? { gone: due, busy: [] } : remove(due, sessions);
    const { json, hash, clean } = sessions;
    const line = ({ id, updatedAt, title }: Session): string =>
      `${hash(id).slice(0, SHORT)}  ${shortTime(updatedAt)}  ${oneLine(clean(title))}\n`;
    const what = dryRun ? "would be deleted" : "deleted";
    const kept = all.length - gone.length;
    const status = await printOut(
      asJson
        ? jsonLine({
            deleted: gone.map(json.entry),
            busy: busy.map(json.entry),
            kept,
            dry_run: dryRun,
          })
        : `${gone.map(line).join("")}${gone.length} ${what}, ${kept} kept\n`,
    );
    if (busy.length === 0 || status !== 0) return status;
    await printError(
      failure(
        "session_busy",
        `${busy.length === 1 ? "a session is" : `${busy.length} sessions are`} busy: ${busy.map(({ id }) => hash(id).slice(0, SHORT)).join(", ")}`,
        { remedy: "prune again when their runs have ended" },
      ),
    );
    return ENDINGS.session_busy.exitCode;
  });
}

/** One that was used since we looked is no longer due. */
function remove(
  due: readonly Session[],
  { archive }: Sessions,
): { readonly gone: readonly Session[]; readonly busy: readonly Session[] } {
  const gone: Session[] = [];
  const busy: Session[] = [];
  for (const session of due)
    try {
      if (archive().remove(session)) gone.push(session);
    } catch (error) {
      if (!(error instanceof RunFailed) || error.failure.reason !== "session_busy") throw error;
      busy.push(session);
    }
  return { gone, busy };
}
