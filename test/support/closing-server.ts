import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../../src/server/app.ts";
import type { Workspace } from "../../src/server/workspace.ts";
import { workspaceIndex } from "../../src/server/workspace-index.ts";
import type { RunId, SessionId } from "../../src/protocol/ids.ts";
import { systemAlarm } from "../../src/shared/alarm.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { fakeModel, says } from "./fake-model.ts";
import { emptyConfig, type Answered } from "./fake-server.ts";
import { turnSetup } from "./turn-setup.ts";

/** A server whose workspace has begun to close and is held up by a run that does not obey: the window in which 409 is answered. */
export interface ClosingServer extends AsyncDisposable {
  readonly path: string;
  readonly session: SessionId;
  readonly workspace: Workspace;
  ask(method: string, path: string, body: unknown): Promise<Answered>;
}

export async function closingServer(): Promise<ClosingServer> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "crush-closing-")));
  const parked = deferred();
  const obeys = deferred();
  const workspaces = workspaceIndex({
    clock: systemClock,
    random: () => 0.5,
    loadConfig: async ({ path }) => emptyConfig(path),
    prepareTurn: () => async () => {
      parked.resolve();
      await obeys.promise;
      return turnSetup(fakeModel(says("ok")));
    },
    onInterrupted: () => {},
    storeLimitBytes: null,
    claimTimes: null,
    setAlarm: systemAlarm,
    onLastClosed: () => {},
  });
  const app = createApp({
    version: "1.2.3",
    clock: systemClock,
    workspaces,
    bodyLimitBytes: 1024 * 1024,
  });
  const never = new AbortController().signal;
  const asked = { path: directory, dataDir: null, trustConfig: false };
  const workspace = await workspaces.open(asked, "me", never);
  const session = workspace.store.sessions.create({ id: "s" as SessionId, title: "t", now: 1 }).id;
  workspace.dispatcher.accept({
    kind: "prompt",
    sessionId: session,
    runId: "holds it up" as RunId,
    prompt: "x",
    attachments: [],
    clientId: null,
    options: {},
    bodyHash: "",
  });
  await parked.promise;
  const closing = workspace.close();
  return {
    path: `/workspaces/${workspace.id}`,
    session,
    workspace,
    ask: async (method, path, body) => {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const url = `http://crush.test/v1${path}`;
      const answer = await app(url, { method, headers: {}, body: text, signal: never });
      const type = answer.headers.get("content-type");
      return { status: answer.status, body: JSON.parse(await answer.text()), type };
    },
    [Symbol.asyncDispose]: async () => {
      obeys.resolve();
      await closing;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
