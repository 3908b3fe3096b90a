import { describe, expect, test } from "vitest";
import { deferred } from "../../src/shared/deferred.ts";
import { conversation } from "../support/chat-request.ts";
import { crushPlace, type CrushPlace, type Ended } from "../support/crush.ts";
import { failed, seen, succeeded, titled } from "../support/ending-case.ts";
import { runIdOf, sessionIdOf } from "../support/ended-run.ts";
import { startFakeProvider } from "../support/fake-provider.ts";

// In which session a run goes on, and under which id.

const sessionOf = (ended: Ended): string => sessionIdOf(ended.stderr);

describe("--fork", () => {
  test("goes on in a copy, and the session stays as it is", async () => {
    await using provider = await startFakeProvider(({ index }) => ({ text: `Answer ${index}.` }));
    await using place = crushPlace({ provider });
    const original = sessionOf(await place.run(["run", "-v", "one"]));
    const forked = await place.run(["run", "-v", "--session", original, "--fork", "two"]);
    expect([forked.status, forked.stdout.toString()]).toEqual([0, "Answer 1.\n"]);
    expect(sessionOf(forked)).not.toBe(original);
    expect(conversation(provider.requests[1])).toEqual([
      "user: one",
      "assistant: Answer 0.",
      "user: two",
    ]);
    // The copy is the last session now, and goes on by itself.
    await place.run(["run", "--continue", "--fork", "three"]);
    expect(conversation(provider.requests[2]).at(-3)).toBe("user: two");
    await place.run(["run", "--session", original, "four"]);
    expect(conversation(provider.requests[3])).toEqual([
      "user: one",
      "assistant: Answer 0.",
      "user: four",
    ]);
  });

  test("does not wait for what goes on in the session", async () => {
    const released = deferred();
    await using provider = await startFakeProvider(({ index }) =>
      index === 1
        ? { text: "one two three", chunks: 3, pause: { after: 1, until: released.promise } }
        : { text: `Answer ${index}.` },
    );
    await using place = crushPlace({ provider });
    const original = sessionOf(await place.run(["run", "-v", "first"]));
    const busy = place.spawn(["run", "--stream", "--session", original, "count"]);
    await busy.waitForStdout("one t");
    const forked = await place.run(["run", "--session", original, "--fork", "second"]);
    expect(seen(forked)).toEqual(succeeded("Answer 2.\n"));
    expect(conversation(provider.requests[2])).toEqual([
      "user: first",
      "assistant: Answer 0.",
      "user: second",
    ]);
    released.resolve();
    expect((await busy.ended).stdout.toString()).toBe("one two three\n");
  });

  test("knows the files that were read", async () => {
    const edit = { file_path: "a.txt", old_string: "old", new_string: "new" };
    await using provider = await startFakeProvider([
      { text: "", toolCalls: [{ id: "1", name: "view", input: { file_path: "a.txt" } }] },
      { text: "Read." },
      { text: "", toolCalls: [{ id: "2", name: "edit", input: edit }] },
      { text: "Changed." },
    ]);
    await using place = crushPlace({ provider });
    place.write("a.txt", "old\n");
    await place.run(["run", "read it"]);
    expect(seen(await place.run(["run", "--continue", "--fork", "change it"]))).toEqual(
      succeeded("Changed.\n"),
    );
    expect(conversation(provider.requests[3]).at(-1)).toContain("+new");
  });
});

describe("--run-id", () => {
  test("a command that is retried is not executed again: same answer, same status", async () => {
    await using provider = await startFakeProvider([
      { text: "Once." },
      { status: 400, body: '{"error":{"message":"no"}}' },
    ]);
    await using place = crushPlace({ provider });
    for (const [id, words] of [
      ["a", ["one"]],
      ["b", ["two", "--timeout", "1m"]],
    ] as const) {
      const command = ["run", "--run-id", id, ...words];
      const first = await place.run(command);
      const again = await place.run(command);
      expect([again.status, again.stdout]).toEqual([first.status, first.stdout]);
      expect(again.stderr.toString()).toContain(`run ${id} is known: it is not executed again\n`);
      expect(again.stderr.toString()).toContain(first.stderr.toString());
    }
    expect(provider.requests.length).toBe(2);
    const shown = await place.run(["runs"]);
    expect(shown.stdout.toString().split("\n").length).toBe(3);
    const quiet = await place.run(["run", "-q", "--run-id", "a", "one"]);
    expect(seen(quiet)).toEqual(succeeded("Once.\n"));
    const json = await place.run(["run", "--output", "json", "--run-id", "a", "one"]);
    expect(JSON.parse(json.stdout.toString())).toMatchObject({
      run_id: "a",
      text: "Once.",
      exit_code: 0,
      turns: 1,
    });
    const live = await place.run(["run", "--stream", "--run-id", "a", "one"]);
    expect(live.stdout.toString()).toBe("Once.\n");
  });

  test.each(
    titled<readonly (readonly string[])[]>({
      "another prompt": [["one"], ["two"]],
      "another option": [["one"], ["one", "--max-turns", "9"]],
      "another kind of session": [["one"], ["one", "--continue", "--fork", "--max-turns", "9"]],
    }),
  )("the same id with %s is refused, and nothing is sent", async (_, [first = [], second = []]) => {
    await using provider = await startFakeProvider({ text: "Once." });
    await using place = crushPlace({ provider });
    await place.run(["run", "--run-id", "build-7", ...first]);
    const refused = await place.run(["run", "--run-id", "build-7", ...second]);
    expect(seen(refused)).toEqual(failed("run_conflict", { says: "build-7" }));
    expect(provider.requests.length).toBe(1);
  });

  test("in a session that is named, and in none, it is not the same run", async () => {
    await using provider = await startFakeProvider({ text: "Once." });
    await using place = crushPlace({ provider });
    const session = sessionOf(await place.run(["run", "-v", "first"]));
    const named = ["run", "--run-id", "r", "--session", session, "two"];
    expect((await place.run(named)).status).toBe(0);
    expect((await place.run(named)).status).toBe(0);
    expect(seen(await place.run(["run", "--run-id", "r", "two"]))).toEqual(
      failed("run_conflict", { says: "another session" }),
    );
    expect(provider.requests.length).toBe(2);
  });

  test.each(
    titled<readonly string[]>({
      "--continue": ["--continue"],
      "--continue --fork": ["--continue", "--fork"],
    }),
  )("with %s it finds its session again, although that is no longer the last", async (_, flags) => {
    await using provider = await startFakeProvider({ text: "Done." });
    await using place = crushPlace({ provider });
    await place.run(["run", "first"]);
    const command = ["run", "-v", ...flags, "--run-id", "r", "two"];
    const first = await place.run(command);
    await place.run(["run", "another session"]);
    expect(seen(await place.run(["run", "-q", ...flags, "--run-id", "r", "two"]))).toEqual(
      succeeded("Done.\n"),
    );
    expect(first.status).toBe(0);
    expect(provider.requests.length).toBe(3);
  });

  test.each(
    titled<readonly string[]>({
      "a new session": [],
      "the last session": ["--continue"],
      "a copy of the last session": ["--continue", "--fork"],
    }),
  )("of commands that start at once in %s, one executes and all answer", async (_, flags) => {
    const released = deferred();
    await using provider = await startFakeProvider(({ index }) =>
      index === 0
        ? { text: "First." }
        : { text: "one two", chunks: 2, pause: { after: 1, until: released.promise } },
    );
    await using place = crushPlace({ provider });
    await place.run(["run", "first"]);
    const start = (): ReturnType<CrushPlace["spawn"]> =>
      place.spawn(["run", ...flags, "--run-id", "r", "two"]);
    const all = [start(), start(), start()];
    await provider.waitForRequest(2);
    await Promise.any(all.map(async (one) => await one.waitForStderr("is known")));
    released.resolve();
    const ended = await Promise.all(all.map(async (one) => await one.ended));
    expect(ended.map(({ status, stdout }) => [status, stdout.toString()])).toEqual(
      all.map(() => [0, "one two\n"]),
    );
    expect(provider.requests.length).toBe(2);
    expect(ended.filter(({ stderr }) => stderr.includes("is known")).length).toBe(2);
  });
});

test("a signal to whoever attached to a run ends the run, for both", async () => {
  await using provider = await startFakeProvider({ text: "one two", chunks: 2, silenceAfter: 1 });
  await using place = crushPlace({ provider });
  const command = ["run", "--stream", "--run-id", "r", "count"];
  const first = place.spawn(command);
  await first.waitForStdout("one");
  const second = place.spawn(command);
  await second.waitForStderr("is known");
  process.kill(second.pid, "SIGINT");
  expect((await second.ended).signal).toBe("SIGINT");
  const ended = await first.ended;
  expect([ended.status, ended.stdout.toString()]).toEqual([130, expect.stringMatching(/^one/)]);
  expect((await place.run(["wait", "r"])).status).toBe(130);
});

describe("--if-busy=fail", () => {
  test("is exit 5 while the session has an open prompt, and nothing is recorded", async () => {
    const released = deferred();
    await using provider = await startFakeProvider(({ index }) =>
      index === 0
        ? { text: "one two three", chunks: 3, pause: { after: 1, until: released.promise } }
        : { text: "Done." },
    );
    await using place = crushPlace({ provider });
    const busy = place.spawn(["run", "-v", "--stream", "count"]);
    await busy.waitForStdout("one t");
    const session = sessionIdOf(busy.stderr());
    const command = ["run", "--session", session, "--if-busy=fail", "--run-id", "r", "now"];
    const refused = await place.run(command);
    expect(seen(refused)).toEqual(failed("session_busy", { says: session }));
    expect((await place.run(["show", "r"])).status).toBe(2);
    const json = await place.run([...command, "--output", "json"]);
    expect(JSON.parse(json.stdout.toString())).toMatchObject({
      exit_code: 5,
      reason: "session_busy",
      retryable: true,
    });
    const waiting = place.spawn(["run", "-v", "--session", session, "--if-busy=queue", "later"]);
    await waiting.waitForStderr("1 ahead");
    released.resolve();
    expect((await busy.ended).status).toBe(0);
    expect((await waiting.ended).stdout.toString()).toBe("Done.\n");
    expect(seen(await place.run(command))).toEqual(succeeded("Done.\n"));
    expect(runIdOf(busy.stderr())).not.toBe("r");
  });
});

test.concurrent.each(
  titled<readonly [readonly string[], string]>({
    "--fork alone": [["--fork"], "--fork copies a session"],
    "a run id with a blank": [["--run-id", "a b"], '--run-id is "a b"'],
    "an empty run id": [["--run-id", ""], '--run-id is ""'],
    "a run id that is too long": [["--run-id", "x".repeat(129)], "--run-id is"],
    "a run id that is a path": [["--run-id", "../other"], "--run-id is"],
    "a run id of two dots": [["--run-id", ".."], '--run-id is ".."'],
    "something else to do when busy": [["--if-busy", "wait"], '--if-busy is "wait"'],
  }),
)("%s is refused, and nothing is sent", async (_, [args, says]) => {
  await using provider = await startFakeProvider({ text: "An answer." });
  await using place = crushPlace({ provider });
  expect(seen(await place.run(["run", ...args, "hi"]))).toEqual(failed("usage", { says }));
  expect(provider.requests.length).toBe(0);
});

test("a copy of a session that is not there is refused", async () => {
  await using provider = await startFakeProvider({ text: "An answer." });
  await using place = crushPlace({ provider });
  const nowhere = ["run", "--fork", "--session", "5e551071-0000-4000-8000-000000000000", "hi"];
  expect(seen(await place.run(nowhere))).toEqual(failed("unknown_session", { says: "5e551071" }));
  expect(seen(await place.run(["run", "--fork", "--continue", "hi"]))).toEqual(
    failed("unknown_session", { says: "continue" }),
  );
  expect(provider.requests.length).toBe(0);
});

test("--continue goes on where something was said, not where a run was refused", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  await place.run(["run", "one"]);
  expect((await place.run(["run", "-m", "nobody/knows", "two"])).status).toBe(2);
  expect((await place.run(["run", "--continue", "three"])).status).toBe(0);
  expect(JSON.stringify(provider.requests.at(-1)?.body)).toContain('"one"');
  const last = await place.run(["session", "last"]);
  expect(last.stdout.toString()).toContain("three");
});
