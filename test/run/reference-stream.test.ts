import { describe, expect, test } from "vitest";
import { ENDINGS } from "../../src/protocol/ending.ts";
import type { MessageId } from "../../src/protocol/ids.ts";
import type { FinishReason } from "../../src/protocol/message.ts";
import { expire } from "../../src/run/reference-stream.ts";
import {
  elsewhere,
  errorEvent,
  followAll,
  here,
  mine,
  terminal,
  theirs,
  took,
  whole,
} from "../support/reference-events.ts";

const finished = (text: string, reason: FinishReason) =>
  whole(text, {
    parts: [
      { type: "text", text },
      { type: "finish", reason, time: 1 },
    ],
  });
const ownEnd = (text: string) => terminal(text, { runId: null });
const completed = { type: "end", reason: "end_turn", failure: null };

describe("with a RunID", () => {
  test("CLI-1: messages that name no run are not printed; the terminal's full text is, once", () => {
    const before = followAll(mine, [whole("Hel"), whole("Hello")]);
    expect(before).toMatchObject({ output: "", end: null, spins: 0 });
    const after = followAll(mine, [whole("Hel"), terminal("Hello"), whole("Hello")]);
    expect(after).toMatchObject({ output: "Hello\n", end: completed });
  });

  test("CLI-2: messages and the terminal of another run in the session are ignored", () => {
    const foreign = [whole("no", { id: "x", runId: theirs }), terminal("no", { runId: theirs })];
    expect(followAll(mine, foreign)).toMatchObject({ output: "", end: null, spins: 0 });
    expect(followAll(mine, [...foreign, terminal("yes")])).toMatchObject({
      output: "yes\n",
      end: completed,
    });
  });

  test.each([here, elsewhere, ""])("CLI-3: another run's error is ignored, session %j", (at) => {
    expect(followAll(mine, [errorEvent(theirs, at)]).state.phase).toBe("following");
  });

  test("CLI-4: the own error is fatal, when no terminal event comes", () => {
    const seen = followAll(mine, [errorEvent(mine, "")]);
    expect(seen).toMatchObject({ deadlines: 1, end: null });
    const { end } = took(seen, expire(seen.state));
    expect(end).toMatchObject({ reason: "provider_error", failure: { message: "boom" } });
    expect(ENDINGS[end?.reason ?? "end_turn"].exitCode).not.toBe(0);
  });

  test.each([
    [elsewhere, "following"],
    ["", "following"],
    [here, "failing"],
  ])("CLI-5, CLI-6: an error that names no run counts by its session: %j, %s", (at, phase) => {
    const { state } = followAll(mine, [errorEvent(null, at)]);
    expect(state.phase).toBe(phase);
    expect(expire(state)[0].phase).toBe(phase === "failing" ? "ended" : "following");
  });

  test("CLI-27: messages that name the run are printed as they come, step by step", () => {
    const said = (text: string, id: string) => whole(text, { id, runId: mine });
    const events = [said("one", "m1"), said("tw", "m2"), said("one", "m1"), said("two", "m2")];
    const m2 = { messageId: "m2" as MessageId };
    expect(followAll(mine, [...events, terminal("two", m2)]).output).toBe("one\n\ntwo\n");
    expect(followAll(mine, [...events, terminal("two", m2)], "final").output).toBe("two\n");
  });
});

describe("without a RunID", () => {
  test("CLI-7: an error that names a run is ignored, whatever its session", () => {
    for (const at of [here, elsewhere, ""])
      expect(followAll(null, [errorEvent(theirs, at)]).state.phase).toBe("following");
  });

  test("CLI-8: an agent event without an error is ignored", () => {
    const news = {
      type: "agent_notification",
      kind: "agent_finished",
      runId: null,
      sessionId: here,
      sessionTitle: "t",
      providerId: null,
    } as const;
    expect(followAll(null, [news])).toMatchObject({ end: null, spins: 0 });
    expect(followAll(mine, [{ ...news, runId: mine }])).toMatchObject({ end: null, spins: 0 });
  });

  test("CLI-9: the terminal of the own session ends and prints, another session's is ignored", () => {
    const other = terminal("no", { runId: null, sessionId: elsewhere });
    expect(followAll(null, [other])).toMatchObject({ end: null, output: "", spins: 0 });
    expect(followAll(null, [other, ownEnd("yes")])).toMatchObject({
      end: completed,
      output: "yes\n",
    });
  });

  test.each(["tool_use", "end_turn"] as const)(
    "CLI-10: a message that is finished by %s is no end; only the terminal is",
    (reason) => {
      expect(followAll(null, [finished("so", reason)]).end).toBe(null);
      expect(followAll(null, [finished("so", reason), ownEnd("so")]).end).toEqual(completed);
    },
  );

  test("CLI-11: a terminal that comes first prints the full text, and what is late prints nothing", () => {
    expect(followAll(null, [ownEnd("Hello"), whole("Hel")]).output).toBe("Hello\n");
  });

  test("CLI-12: of a text that was streamed in part only the tail is printed", () => {
    expect(followAll(null, [whole("Hel")]).output).toBe("Hel");
    expect(followAll(null, [whole("Hel"), ownEnd("Hello")]).output).toBe("Hello\n");
  });

  test("CLI-15: spaces and tabs before a text are trimmed once, newlines are not, later ones stay", () => {
    const chunks = [whole(" \t one"), whole(" \t one  two"), whole(" \t one  two\t")];
    expect(followAll(null, chunks).output).toBe("one  two\t");
    expect(followAll(null, [whole("\n one")]).output).toBe("\n one");
    expect(followAll(mine, [terminal(" \t one ")]).output).toBe("one \n");
  });

  test("CLI-16: white space before any output is not printed, but counts as read", () => {
    expect(followAll(null, [whole("  ")])).toMatchObject({ output: "", spins: 0 });
    expect(followAll(null, [whole("  "), whole("  x")]).output).toBe("x");
    expect(followAll(null, [whole("  "), ownEnd("  ")])).toMatchObject({
      output: "",
      end: completed,
    });
  });

  test("CLI-18: a text that shrinks is no error: nothing is retracted, and what grows again goes on", () => {
    const shrunk = [whole("Hello wor"), whole("Hell"), whole("Hello world")];
    expect(followAll(null, shrunk).output).toBe("Hello world");
    const other = [whole("Hello wor"), whole("Bye")];
    expect(followAll(null, [...other, ownEnd("Bye all")]).output).toBe("Hello wor\n\nBye all\n");
  });

  test.each([
    ["of another session", whole("no", { sessionId: elsewhere })],
    ["of the user", whole("no", { role: "user" })],
    ["of a tool", whole("no", { role: "tool" })],
    ["without parts", whole("", { parts: [] })],
  ])("CLI-20: a message %s is ignored", (_what, event) => {
    expect(followAll(null, [event])).toMatchObject({ output: "", end: null, spins: 0 });
  });

  test("CLI-30: the missing tail never splits a character", () => {
    const text = "né🙂👩‍👩‍👧";
    for (let cut = 1; cut <= Array.from(text).length; cut += 1) {
      const seen = Array.from(text).slice(0, cut).join("");
      const { output } = followAll(null, [whole(seen), ownEnd(text)]);
      expect(output).toBe(`${text}\n`);
      expect(Buffer.from(output).toString()).toBe(output);
    }
  });
});

test("CLI-13: a terminal with an error, not cancelled, ends with that error and a status of its own", () => {
  const { end } = followAll(mine, [terminal("", { messageId: null, error: "quota" })]);
  expect(end).toMatchObject({ reason: "provider_error", failure: { message: "quota" } });
  expect(ENDINGS.provider_error.exitCode).not.toBe(0);
});

test.each([undefined, "context canceled"])(
  "CLI-14: a cancelled terminal is a clean end with its partial text (error %j)",
  (error) => {
    const more = error === undefined ? {} : { error };
    const seen = followAll(mine, [terminal("so far", { cancelled: true, ...more })]);
    expect(seen).toMatchObject({
      output: "so far\n",
      end: { reason: "by_client", failure: null },
    });
    expect(ENDINGS.by_client.exitCode).toBe(3);
  },
);

test("CLI-19: a terminal without a message id prints nothing, and is the end", () => {
  expect(followAll(mine, [terminal("text", { messageId: null })])).toMatchObject({
    output: "",
    end: completed,
  });
});

test("CLI-28: the partial text of a failed run is printed before its error", () => {
  expect(followAll(mine, [terminal("half", { error: "boom" })])).toMatchObject({
    output: "half\n",
    end: { reason: "provider_error" },
  });
});

test("CLI-17: the spinner stops once, at the first own output, the own terminal or the own error", () => {
  const foreign = [
    whole("no", { sessionId: elsewhere }),
    terminal("no", { runId: theirs, sessionId: elsewhere }),
    errorEvent(theirs, elsewhere),
  ];
  expect(followAll(mine, [...foreign, whole("held back")]).spins).toBe(0);
  expect(followAll(null, foreign).spins).toBe(0);
  expect(followAll(null, [whole("a")]).spins).toBe(1);
  expect(followAll(null, [whole("a"), whole("ab"), ownEnd("abc")]).spins).toBe(1);
  expect(followAll(mine, [terminal("", { messageId: null })]).spins).toBe(1);
  expect(followAll(mine, [errorEvent(mine), terminal("")]).spins).toBe(1);
});

test("CLI-29: an error and its errored terminal are one failure in either order; a later success wins", () => {
  const errored = terminal("", { messageId: null, error: "boom" });
  const first = followAll(mine, [errorEvent(mine), errored]);
  const alone = followAll(mine, [errorEvent(mine)]);
  expect(first.end).toEqual(followAll(mine, [errored, errorEvent(mine)]).end);
  expect(first.end).toEqual(took(alone, expire(alone.state)).end);
  expect(followAll(mine, [errorEvent(mine), terminal("ok")])).toMatchObject({
    output: "ok\n",
    end: completed,
  });
});

test("ERR-8: an error event that was lost is not missed: the terminal tells the failure", () => {
  expect(followAll(mine, [terminal("", { messageId: null, error: "boom" })]).end).toMatchObject({
    failure: { message: "boom" },
  });
});
