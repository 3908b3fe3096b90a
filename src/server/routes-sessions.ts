import type { Context } from "hono";
import type { SessionId } from "../protocol/ids.ts";
import { encodeMessage } from "../protocol/message-wire.ts";
import { encodeSession, type Session } from "../protocol/session.ts";
import type { AddRoute } from "./app.ts";
import { workspaceOf, type ServerContext } from "./context.ts";
import { newSession, newSessionSchema } from "./new-session.ts";
import { readBody } from "./read-body.ts";
import { json } from "./reply.ts";
import { unknownSession } from "./unknown-session.ts";
import type { Workspace } from "./workspace.ts";

/** Sessions and their messages. protocol.md section 5.4. */
export function sessionRoutes(add: AddRoute, context: ServerContext): void {
  const base = "/workspaces/:id/sessions";
  const show = ({ dispatcher }: Workspace, session: Session) =>
    encodeSession(session, dispatcher.isBusy(session.id));

  add("GET", base, (c) => {
    const workspace = workspaceOf(context, c);
    return json(workspace.store.sessions.list().map((session) => show(workspace, session)));
  });
  add("POST", base, async (c) => {
    const body = await readBody(c, newSessionSchema);
    // Not before: while a body comes in slowly its workspace may be closed.
    const workspace = workspaceOf(context, c);
    const now = Math.floor(context.clock.now() / 1000);
    // A copy ends where the last run ended, and that of a dead process ends now.
    if (body.fork_of !== undefined) workspace.dispatcher.recover();
    return json(show(workspace, newSession(workspace.store, body, now)));
  });
  add("GET", `${base}/:sid`, (c) => {
    const workspace = workspaceOf(context, c);
    return json(show(workspace, sessionOf(workspace, c)));
  });
  add("GET", `${base}/:sid/messages`, (c) => {
    const { store, shownMessage } = workspaceOf(context, c);
    const messages = store.messages.list(sessionId(c));
    return json(messages.map((message) => encodeMessage(shownMessage(message))));
  });
}

export const sessionId = (c: Context): SessionId => (c.req.param("sid") ?? "") as SessionId;

/** The session that the path names; throws `unknown_session` (404). */
function sessionOf({ store }: Workspace, c: Context): Session {
  const session = store.sessions.get(sessionId(c));
  if (session !== null) return session;
  throw unknownSession(sessionId(c));
}
