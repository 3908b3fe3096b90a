import { fromSummary } from "../agent/context.ts";
import { failure, RunFailed } from "../protocol/ending.ts";
import type { SessionId } from "../protocol/ids.ts";
import { matchSession } from "../protocol/match-session.ts";
import type { Message } from "../protocol/message.ts";
import { lastSession } from "../protocol/session.ts";
import { sessionHash } from "../protocol/session-hash.ts";
import type { PrepareRequest } from "../session/prepare-turn.ts";
import { openArchive, type Archive } from "../store/archive.ts";
import type { SessionChoice } from "./session-choice.ts";

/** What was said before in the session that a run goes on with. */
export interface BegunConversation {
  /** Null: a new session. */
  readonly sessionId: SessionId | null;
  /** As far as the model is shown it. */
  readonly messages: readonly Message[];
  readonly previous: PrepareRequest["previous"];
}

const NEW: BegunConversation = { sessionId: null, messages: [], previous: null };

/** Looks it up and makes nothing where nothing is. Rejects with `unknown_session` where a run would. */
export async function begunConversation(
  { session, continueLast }: SessionChoice,
  dataDirectory: string,
): Promise<BegunConversation> {
  if (session === null && !continueLast) return NEW;
  using archive = openArchive(dataDirectory);
  const id = session === null ? lastIn(archive) : await sessionIn(archive, session);
  const messages = archive?.messages.list(id) ?? [];
  return {
    sessionId: id,
    messages: fromSummary(messages, archive?.sessions.summaryOf(id) ?? null),
    previous: archive?.messages.lastModel(id) ?? null,
  };
}

function lastIn(archive: Archive | null): SessionId {
  const last = lastSession(archive?.sessions.list() ?? []);
  if (last !== undefined) return last.id;
  throw new RunFailed(
    failure("unknown_session", "there is no session to continue in this directory", {
      remedy: "leave out --continue to start a new one",
    }),
  );
}

async function sessionIn(archive: Archive | null, typed: string): Promise<SessionId> {
  const exact = archive?.sessions.get(typed as SessionId) ?? null;
  if (exact !== null) return exact.id;
  const ids = archive?.sessions.list().map(({ id }) => id) ?? [];
  return matchSession(typed, ids, await sessionHash());
}
