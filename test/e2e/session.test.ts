import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { crushPlace, FAKE_KEY } from "../support/crush.ts";
import { errorLines } from "../support/ended-run.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import { aged, asked, listed, said, started, type Entry } from "../support/session-cli.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/;

test("where nothing has run the list is empty, nothing is made, and there is no last session", async () => {
  await using place = crushPlace();
  expect(await listed(place)).toEqual([]);
  const shown = await place.run(["session", "list"]);
  expect(said(shown)).toEqual([0, ""]);
  const last = await place.run(["session", "last", "--json"]);
  expect(said(last)).toEqual([2, ""]);
  expect(errorLines(last)).toEqual([
    expect.stringMatching(/no session in this directory \(unknown_session\); start one with/),
  ]);
  expect(said(await place.run(["session", "prune", "--keep", "0"]))).toEqual([
    0,
    "0 deleted, 0 kept\n",
  ]);
  expect(readdirSync(place.work)).toEqual([]);
});

test("sessions are listed, the last changed first, under the beginning of their first prompt", async () => {
  await using provider = await startFakeProvider({ text: "yes" });
  await using place = crushPlace({ provider });
  const first = await started(place, "First <question> & more");
  aged(place, first.uuid, 1);
  const second = await started(place, "Second");
  const all = await listed(place);
  expect(all.map(({ title }) => title)).toEqual(["Second", "First <question> & more"]);
  expect(all[0]).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{16}$/),
    uuid: expect.stringMatching(UUID),
    title: "Second",
    created: expect.stringMatching(TIME),
    modified: expect.stringMatching(TIME),
  });
  for (const group of [
    ["session", "ls"],
    ["sessions", "list"],
    ["s", "ls"],
  ]) {
    const lines = (await place.run(group)).stdout.toString().split("\n");
    expect(lines).toEqual([
      expect.stringMatching(
        new RegExp(`^${second.id.slice(0, 7)}  \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d  Second$`),
      ),
      expect.stringMatching(new RegExp(`^${first.id.slice(0, 7)}  .*  First <question> & more$`)),
      "",
    ]);
  }
});

test("show and last tell the same of the same session, by full id, short name and its beginning", async () => {
  await using provider = await startFakeProvider([
    {
      toolCalls: [{ id: "a", name: "bash", input: { command: "echo hello" } }],
      usage: { input: 10, output: 2 },
    },
    { text: "It says hello.", usage: { input: 20, output: 3 } },
  ]);
  await using place = crushPlace({ provider });
  const { id, uuid } = await started(place, "Say hello");
  const whole = await asked<object>(place, "session", "last");
  for (const name of [uuid, id, id.slice(0, 7), id.slice(0, 1)])
    expect(await asked(place, "session", "show", name)).toEqual(whole);
  expect(whole).toMatchObject({
    meta: {
      id,
      uuid,
      title: "Say hello",
      prompt_tokens: 30,
      completion_tokens: 5,
      total_tokens: 35,
    },
    messages: [
      { role: "user", parts: [{ type: "text", text: "Say hello" }, { type: "finish" }] },
      { role: "assistant", model: "model", provider: "fake" },
      {
        role: "tool",
        parts: [{ type: "tool_result", tool_call_id: "a", name: "bash" }, { type: "finish" }],
      },
      {
        role: "assistant",
        parts: [
          { type: "text", text: "It says hello." },
          { type: "finish", reason: "end_turn" },
        ],
      },
    ],
  });
  const text = (await place.run(["session", "show", id])).stdout.toString();
  expect(text).toContain(`session   ${id.slice(0, 12)} (${uuid})\ntitle     Say hello\n`);
  expect(text).toContain('> bash {"command":"echo hello"}\n');
  expect(text).toContain("tokens    30 in, 5 out\n");
  expect(text).toMatch(/assistant \(fake\/model\)\nIt says hello\.\n$/);
});

test("crush run goes on with a session that is named as the list names it", async () => {
  await using provider = await startFakeProvider({ text: "yes" });
  await using place = crushPlace({ provider });
  const { id, uuid } = await started(place, "Begin");
  expect((await place.run(["run", "--session", id.slice(0, 7), "Go on"])).status).toBe(0);
  expect((await place.run(["run", "--session", uuid, "Once more"])).status).toBe(0);
  expect(await listed(place)).toHaveLength(1);
  const sent = provider.requests.length;
  const nobody = await place.run(["run", "--session", "zzz", "hi"]);
  expect(said(nobody)).toEqual([2, ""]);
  expect(errorLines(nobody)).toEqual([
    "error: there is no session zzz (unknown_session); crush session list shows those that there are",
  ]);
  expect(provider.requests).toHaveLength(sent);
});

test("a session is renamed and deleted by the beginning of its name", async () => {
  await using provider = await startFakeProvider({ text: "yes" });
  await using place = crushPlace({ provider });
  const { id, uuid } = await started(place, "Old");
  const other = await started(place, "Other");
  const short = id.slice(0, 12);
  expect(said(await place.run(["session", "rename", id.slice(0, 8), "A", "new\ttitle"]))).toEqual([
    0,
    `Renamed ${short} to A new title\n`,
  ]);
  expect(await asked(place, "session", "rename", id, "--", "--dashed <b>")).toEqual({
    id,
    uuid,
    title: "--dashed <b>",
    renamed: true,
  });
  expect((await listed(place)).map(({ title }) => title).toSorted()).toEqual([
    "--dashed <b>",
    "Other",
  ]);
  expect(await asked(place, "session", "delete", other.id)).toEqual({
    ...pick(other),
    deleted: true,
  });
  expect(said(await place.run(["session", "rm", id]))).toEqual([
    0,
    `Deleted ${short} --dashed <b>\n`,
  ]);
  expect(await listed(place)).toEqual([]);
  const gone = await place.run(["run", "-s", uuid, "hi"]);
  expect(gone.status).toBe(2);
});

const pick = ({ id, uuid, title }: Entry): Entry => ({ id, uuid, title });

test.each([
  [["session"], "crush session needs one more word", "it is one of: list, show"],
  [["session", "rename", "x"], "needs the id of a session and its new title", "crush session list"],
  [["session", "rename", "x", " "], "the new title is empty", "give the session a title"],
  [
    ["session", "rename", "x", "a".repeat(1001)],
    "the new title has 1001 characters",
    "at most 1000",
  ],
  [["session", "show"], "crush session show needs the id of a session", "crush session list"],
  [["session", "show", "nope"], "no session", "crush session list"],
  [["session", "delete", ""], "needs the id of a session", "crush session list"],
  [["session", "prune"], "needs to know which sessions", "--older-than 30d"],
  [["session", "prune", "--older-than", "3y"], '--older-than is "3y"', "30d, 12w"],
  [["session", "prune", "--keep", "-1"], '--keep is "-1"', "whole number"],
  [["session", "list", "extra"], '"extra" is one too many', "leave it out"],
  [["session", "list", "--older-than", "3d"], "unknown flag --older-than", "see:"],
])("crush %j is refused with a remedy", async (args, what, remedy) => {
  await using place = crushPlace();
  const ended = await place.run(args);
  expect(said(ended)).toEqual([2, ""]);
  expect(errorLines(ended)).toHaveLength(1);
  const [line = ""] = errorLines(ended);
  expect(line.slice(0, line.indexOf(";"))).toContain(what);
  expect(line.slice(line.indexOf(";"))).toContain(remedy);
});

test("nothing is pruned while a broken configuration may name another data directory", async () => {
  await using place = crushPlace();
  expect((await place.run(["run", "-m", "demo/offline", "hi"])).status).toBe(0);
  place.write("crush.json", '{"options": {"data_directory": ".other",}');
  const pruned = await place.run(["session", "prune", "--keep", "0"]);
  expect([pruned.status, pruned.stdout.toString()]).toEqual([2, ""]);
  expect(errorLines(pruned)).toEqual([expect.stringMatching(/\(invalid_config\); .*--data-dir/)]);
  const told = await place.run(["session", "prune", "--keep", "0", "--dry-run"]);
  expect(said(told)).toEqual([0, expect.stringContaining("1 would be deleted, 0 kept\n")]);
  const named = await place.run(["session", "prune", "--keep", "0", "--data-dir", ".crush"]);
  expect(said(named)).toEqual([0, expect.stringContaining("1 deleted, 0 kept\n")]);
});

test("sessions are shown where the configuration is broken, with a warning; a key is never among it", async () => {
  const leak = `the key is ${FAKE_KEY}`;
  await using provider = await startFakeProvider([
    { toolCalls: [{ id: "a", name: "bash", input: { command: `echo '${leak}'` } }] },
    { text: leak },
  ]);
  await using place = crushPlace({ provider });
  expect((await place.run(["run", leak])).status).toBe(0);
  place.write("crush.json", "{");
  for (const args of [["list"], ["list", "--json"], ["last"], ["last", "--json"]]) {
    const ended = await place.run(["session", ...args]);
    expect(ended.status).toBe(0);
    expect(ended.stdout.toString()).toContain("the key is ***");
    expect(ended.stdout.toString()).not.toContain(FAKE_KEY);
    expect(ended.stderr.toString()).toMatch(/^warning: \S+crush.json is passed over: .*\n$/);
  }
});

test("what a model says does not move the terminal of whoever shows it", async () => {
  await using provider = await startFakeProvider({
    text: "red \u001b[31malert\u001b]0;owned\u0007 \u009b2J end",
  });
  await using place = crushPlace({ provider });
  await place.run(["run", "title \u001b[2J\u202e\rdone"]);
  for (const args of [["list"], ["last"]])
    expect((await place.run(["session", ...args])).stdout.toString()).toMatch(
      /^\P{Cc}*(\n\P{Cc}*)*$/u,
    );
  expect((await place.run(["session", "last"])).stdout.toString()).toContain("red alert  end");
  expect((await place.run(["session", "list"])).stdout.toString()).toMatch(/title done\n$/);
});
