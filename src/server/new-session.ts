import * as z from "zod/mini";
import { failure, RunFailed } from "../protocol/ending.ts";
import { newSessionId, sessionIdOf, type RunId, type SessionId } from "../protocol/ids.ts";
import type { Session } from "../protocol/session.ts";
import type { Store } from "../store/store.ts";
import { givenIdSchema, plainSchema } from "./given-id.ts";
import { unknownSession } from "./unknown-session.ts";

/** `POST …/sessions`. protocol.md section 5.4; `fork_of` and `run_id` are ours. A copy has the title of what it copies. */
export const newSessionSchema = z
  .object({
    title: z.optional(z.string()),
    fork_of: z.optional(plainSchema),
    run_id: z.optional(givenIdSchema.check(z.minLength(1))),
  })
  .check(z.refine((body) => body.title !== undefined || body.fork_of !== undefined, "title"));

/**
 * A new session, empty or a copy of another one. For the same `run_id` it is the same session each time, so that a command that is
 * retried finds its run. Throws `RunFailed` (`unknown_session`; `run_conflict` when the run belongs to another session).
 */
export function newSession(
  store: Store,
  { title = "", fork_of: forkOf, run_id: runId }: z.infer<typeof newSessionSchema>,
  now: number,
): Session {
  const from = forkOf === undefined ? null : (forkOf as SessionId);
  if (runId === undefined) return made(store, newSessionId(), title, from, now);
  return store.transaction(() => {
    const id = sessionIdOf(runId as RunId, from);
    const known = store.runs.find(runId as RunId);
    if (known !== null && known.sessionId !== id) throw otherSession(runId);
    return store.sessions.get(id) ?? made(store, id, title, from, now);
  });
}

function made(
  store: Store,
  id: SessionId,
  title: string,
  from: SessionId | null,
  now: number,
): Session {
  if (from === null) return store.sessions.create({ id, title, now });
  const copy = store.fork({ from, id, now }) ? store.sessions.get(id) : null;
  if (copy === null) throw unknownSession(from);
  return copy;
}

const otherSession = (runId: string): RunFailed =>
  new RunFailed(
    failure("run_conflict", `the run id ${runId} was used in another session`, {
      remedy: "use a fresh run id, or give --session as it was given then",
    }),
  );
