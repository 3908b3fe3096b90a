import { expect, test } from "vitest";
import { inChosenSession, type SessionChoice } from "../../src/cli/session-choice.ts";
import type { WorkspaceClient } from "../../src/client/client.ts";
import { failure, RunFailed, type RunFailure } from "../../src/protocol/ending.ts";
import type { RunId, SessionId } from "../../src/protocol/ids.ts";
import type { SessionRef } from "../../src/protocol/session.ts";
import { refusalOfAsync } from "../support/refusal.ts";
import { settledRecord } from "../support/run-record.ts";

const refused = (reason: RunFailure["reason"]): RunFailed => new RunFailed(failure(reason, "no"));
/** In `(b)` nothing was said. */
const ref = (id: string): SessionRef => ({
  isEmpty: id.startsWith("("),
  id: id as SessionId,
  parentSessionId: null,
  title: "",
  updatedAt: 0,
});

type Chooser = Pick<WorkspaceClient, "getSession" | "listSessions" | "createSession" | "getRun">;

/** A server with these sessions, the last one first, and what it is asked. `knows` is the session of every run. */
function server(sessions: readonly string[], knows: () => string | null = () => null) {
  const asked: string[] = [];
  const client: Chooser = {
    getSession: async (id) => {
      if (!sessions.includes(id)) throw refused("unknown_session");
      return ref(id);
    },
    listSessions: async () => sessions.map(ref),
    createSession: async (_title, _signal, { forkOf = null, runId = null } = {}) => {
      const id = `${forkOf === null ? "new" : `copy of ${forkOf}`} for ${runId ?? "any run"}`;
      asked.push(id);
      return ref(id);
    },
    getRun: async (runId) => {
      const sessionId = knows();
      if (sessionId === null) throw refused("unknown_run");
      return { ...settledRecord(runId), sessionId: sessionId as SessionId };
    },
  };
  return { client, asked };
}

const NEW = { title: "t", session: null, continueLast: false, fork: false, runId: null };
const r = "r" as RunId;
const signal = new AbortController().signal;
const chosen = async (choice: Partial<SessionChoice>, client: Chooser): Promise<string> =>
  await inChosenSession({ ...NEW, ...choice }, client, signal, async (id) => id);

test("without a word it is a new session; a run with an id of its own has its own", async () => {
  const { client } = server(["b", "a"]);
  expect(await chosen({}, client)).toBe("new for any run");
  expect(await chosen({ runId: r }, client)).toBe("new for r");
});

test("a session that is named, or the last one, is gone on with or copied", async () => {
  const { client, asked } = server(["b", "a"]);
  expect(await chosen({ session: "a" }, client)).toBe("a");
  expect(await chosen({ continueLast: true }, client)).toBe("b");
  expect(asked).toEqual([]);
  expect(await chosen({ session: "a", fork: true }, client)).toBe("copy of a for any run");
  expect(await chosen({ continueLast: true, fork: true, runId: r }, client)).toBe(
    "copy of b for r",
  );
});

test("--continue passes over what refused runs have left, unless there is nothing else", async () => {
  expect(await chosen({ continueLast: true }, server(["(c)", "b", "a"]).client)).toBe("b");
  expect(await chosen({ continueLast: true }, server(["(b)", "(a)"]).client)).toBe("(b)");
  expect(await chosen({ session: "(b)" }, server(["(b)", "a"]).client)).toBe("(b)");
});

test("a run that is known is found again with --continue, and with nothing else", async () => {
  const { client } = server(["b", "a"], () => "a");
  expect(await chosen({ continueLast: true, runId: r }, client)).toBe("a");
  expect(await chosen({ continueLast: true, fork: true, runId: r }, client)).toBe("a");
  expect(await chosen({ session: "b", runId: r }, client)).toBe("b");
  expect(await chosen({ runId: r }, client)).toBe("new for r");
});

test("a run that another process has begun in the meantime is found where it is", async () => {
  let known: string | null = null;
  const { client } = server(["b", "a"], () => known);
  const tried: string[] = [];
  const send = async (id: SessionId): Promise<string> => {
    tried.push(id);
    if (id === "a") return "attached";
    known = "a";
    throw refused("run_conflict");
  };
  const choice = { ...NEW, continueLast: true, runId: r };
  expect(await inChosenSession(choice, client, signal, send)).toBe("attached");
  expect(tried).toEqual(["b", "a"]);
});

test.each([
  ["a run that is nobody's of this name", { continueLast: true }, "run_conflict"],
  ["a session that was named", { session: "a", runId: r }, "run_conflict"],
  ["another refusal", { continueLast: true, runId: r }, "queue_full"],
] as const)("%s is refused once", async (_, choice, reason) => {
  let sent = 0;
  const { client } = server(["b", "a"]);
  const send = async (): Promise<never> => {
    sent += 1;
    throw refused(reason);
  };
  const done = inChosenSession({ ...NEW, ...choice }, client, signal, send);
  expect(await refusalOfAsync(done)).toBe(reason);
  expect(sent).toBe(1);
});

test.each([{ session: "c" }, { session: "c", fork: true }])(
  "a session that is not there is none: %j",
  async (choice) => {
    const { client, asked } = server(["b", "a"]);
    expect(await refusalOfAsync(chosen(choice, client))).toBe("unknown_session");
    expect(await refusalOfAsync(chosen({ continueLast: true }, server([]).client))).toBe(
      "unknown_session",
    );
    expect(asked).toEqual([]);
  },
);
