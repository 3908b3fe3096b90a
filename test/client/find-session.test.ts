import { expect, test } from "vitest";
import { findSession } from "../../src/client/find-session.ts";
import { failure, RunFailed } from "../../src/protocol/ending.ts";
import type { SessionId } from "../../src/protocol/ids.ts";
import type { SessionRef } from "../../src/protocol/session.ts";

const ref = (id: string): SessionRef => ({
  id: id as SessionId,
  parentSessionId: null,
  title: "",
  isEmpty: false,
  updatedAt: 0,
});

/** A server with these sessions, which writes down what it was asked. */
function server(listed: readonly SessionRef[], hidden: readonly SessionRef[] = []) {
  const asked: string[] = [];
  return {
    asked,
    getSession: async (id: string) => {
      asked.push(`get ${id}`);
      const found = [...listed, ...hidden].find((one) => one.id === id);
      if (found === undefined) throw new RunFailed(failure("unknown_session", `no ${id}`));
      return found;
    },
    listSessions: async () => {
      asked.push("list");
      return [...listed];
    },
  };
}

const one = ref("00000000-0000-4000-8000-000000000001");
const { signal } = new AbortController();

test("a full id is one look, also of a session that is not listed", async () => {
  const child = ref("m$$c");
  const client = server([one], [child]);
  expect(await findSession(client, one.id, signal)).toBe(one);
  expect(await findSession(client, "m$$c", signal)).toBe(child);
  expect(client.asked).toEqual([`get ${one.id}`, "get m$$c"]);
});

test("the name that the list shows finds it too", async () => {
  expect(await findSession(server([one, ref("a")]), "703e28f", signal)).toBe(one);
});

test("what is no session stays unknown, and another failure is told as it is", async () => {
  await expect(findSession(server([one]), "999", signal)).rejects.toThrow(
    "there is no session 999",
  );
  const lost = new RunFailed(failure("server_lost", "gone"));
  const client = { ...server([one]), getSession: async () => await Promise.reject(lost) };
  await expect(findSession(client, "703e28f", signal)).rejects.toBe(lost);
});
