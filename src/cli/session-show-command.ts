import { failure, RunFailed } from "../protocol/ending.ts";
import { lastSession, type Session } from "../protocol/session.ts";
import { jsonLine } from "../run/json-lines.ts";
import type { Flags } from "./flag-values.ts";
import { printOut } from "./print-out.ts";
import { sessionText } from "./session-text.ts";
import { withSessions, type Sessions } from "./with-sessions.ts";

/** `crush session show` */
export async function showSession(typed: string, flags: Flags): Promise<number> {
  return await show(flags, ({ find }) => find(typed));
}

/** `crush session last`: the one that was changed last. */
export async function showLastSession(flags: Flags): Promise<number> {
  return await show(flags, ({ list }) => {
    const last = lastSession(list());
    if (last !== undefined) return last;
    throw new RunFailed(
      failure("unknown_session", "there is no session in this directory", {
        remedy: 'start one with: crush run "…"; or check --cwd and --data-dir',
      }),
    );
  });
}

async function show(flags: Flags, choose: (sessions: Sessions) => Session): Promise<number> {
  const asJson = flags.flag("json") ?? false;
  return await withSessions(flags, async (sessions) => {
    const session = choose(sessions);
    const messages = sessions.archive().messages.list(session.id);
    const { json, hash, clean } = sessions;
    return await printOut(
      asJson
        ? jsonLine(json.whole(session, messages))
        : sessionText(session, messages, { name: hash(session.id), clean }),
    );
  });
}
