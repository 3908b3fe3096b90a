import type { WorkspaceClient } from "../client/client.ts";
import { findSession } from "../client/find-session.ts";
import { failure, RunFailed } from "../protocol/ending.ts";
import type { RunId, SessionId } from "../protocol/ids.ts";
import { lastSession } from "../protocol/session.ts";
import type { Flags } from "./flag-values.ts";
import { usage } from "./usage.ts";

/** In which session a run goes on, and under which id. */
export interface SessionChoice {
  readonly session: string | null;
  readonly continueLast: boolean;
  /** Not in that session, but in a copy of it. */
  readonly fork: boolean;
  /** Null: a fresh one. */
  readonly runId: RunId | null;
}

/** Throws `usage`. */
export function readSessionChoice(flags: Flags): SessionChoice {
  const session = flags.text("session");
  const continueLast = flags.flag("continue") ?? false;
  const fork = flags.flag("fork") ?? false;
  if (session !== null && continueLast)
    throw usage("--session and --continue exclude each other", "give one of them");
  if (session === "") throw usage("--session is empty", "give the id of a session");
  if (fork && session === null && !continueLast)
    throw usage("--fork copies a session, and none was named", "add --session ID or --continue");
  return { session, continueLast, fork, runId: givenRunId(flags.text("run-id")) };
}

/** A UUID is one of these. Two of them would be no name in the path of a request. */
function givenRunId(id: string | null): RunId | null {
  if (id === null || (/^[\w.-]{1,128}$/.test(id) && id !== "." && id !== "..")) return id as RunId;
  throw usage(
    `--run-id is ${JSON.stringify(id)}`,
    "use a UUID, or 1 to 128 letters, digits, dots, dashes and underscores",
  );
}

/**
 * Has the prompt sent in the session that was chosen for it. A run with an id of its own finds the same one each time, so that it attaches to
 * what it has begun. Rejects with `RunFailed`, or with `signal.reason`, or as `send` does.
 */
export async function inChosenSession<T>(
  choice: SessionChoice & Titled,
  client: Chooser,
  signal: AbortSignal,
  send: (id: SessionId) => Promise<T>,
): Promise<T> {
  try {
    return await send(await chooseSession(choice, client, signal));
  } catch (error) {
    if (!mayBeElsewhere(choice, error)) throw error;
    return await send(await chooseSession(choice, client, signal));
  }
}

/** Another process may have begun the run meanwhile, in the session that was the last one for it: there it can be attached to. */
const mayBeElsewhere = ({ continueLast, runId }: SessionChoice, error: unknown): boolean =>
  continueLast &&
  runId !== null &&
  error instanceof RunFailed &&
  error.failure.reason === "run_conflict";

interface Titled {
  /** Of a new session. */
  readonly title: string;
}

type Chooser = Pick<WorkspaceClient, "getSession" | "listSessions" | "createSession" | "getRun">;

async function chooseSession(
  choice: SessionChoice & Titled,
  client: Chooser,
  signal: AbortSignal,
): Promise<SessionId> {
  const { session, continueLast, fork, runId, title } = choice;
  // The last session is another one by now: that of the run itself, as a rule.
  const known = continueLast && runId !== null ? await sessionOf(runId, client, signal) : null;
  if (known !== null) return known;
  const base = session === null && !continueLast ? null : await existing(session, client, signal);
  if (base !== null && !fork) return base;
  return (await client.createSession(title, signal, { forkOf: base, runId })).id;
}

async function existing(
  session: string | null,
  client: Chooser,
  signal: AbortSignal,
): Promise<SessionId> {
  if (session !== null) return (await findSession(client, session, signal)).id;
  const last = lastSession(await client.listSessions(signal));
  if (last !== undefined) return last.id;
  throw new RunFailed(
    failure("unknown_session", "there is no session to continue in this directory", {
      remedy: "leave out --continue to start a new one",
    }),
  );
}

/** Null when there is no such run. */
async function sessionOf(
  runId: RunId,
  client: Chooser,
  signal: AbortSignal,
): Promise<SessionId | null> {
  try {
    return (await client.getRun(runId, signal)).sessionId;
  } catch (error) {
    if (error instanceof RunFailed && error.failure.reason === "unknown_run") return null;
    throw error;
  }
}
