import { expect, test } from "vitest";
import { prepareTurn } from "../../src/cli/wiring.ts";
import type { TurnSetup } from "../../src/agent/turn-setup.ts";
import { freshKey } from "../../src/config/fresh-key.ts";
import { resolveModel } from "../../src/config/resolve-model.ts";
import type { LanguageModel } from "../../src/provider/language-model.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { orAborted } from "../../src/shared/or-aborted.ts";
import { dispatchHouse } from "../support/dispatch-house.ts";
import { fails, fakeModel, says, type ModelStep } from "../support/fake-model.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import { projectFolder, type ProjectFolder } from "../support/project-folder.ts";
import { turnSetup } from "../support/turn-setup.ts";

const refused: ModelStep = fails({ reason: "auth_refused", httpStatus: 401 });

type Refresh = (signal: AbortSignal) => Promise<LanguageModel | null>;

const refreshing = (model: LanguageModel, refreshModel: Refresh | null): TurnSetup =>
  turnSetup(model, { refreshModel });

test("RUN-9, PER-22: a refused key is renewed and the call made again: one terminal event, one user message", async () => {
  await using house = dispatchHouse();
  const [stale, fresh] = [fakeModel(refused), fakeModel(says("ok"))];
  const owner = house.move({ prepare: async () => refreshing(stale, async () => fresh) });
  const session = owner.session();
  const { runId } = owner.ask(session, "p");
  expect(await owner.ended(runId)).toMatchObject({ text: "ok", failure: null });
  await owner.dispatcher.shutdown();
  expect(owner.terminals(runId).length).toBe(1);
  expect([stale.calls.length, fresh.calls.length]).toEqual([1, 1]);
  expect(fresh.calls[0]?.messages).toEqual(stale.calls[0]?.messages);
  expect(owner.store.messages.list(session).map(({ role }) => role)).toEqual(["user", "assistant"]);
  expect(owner.events.filter(({ type }) => type === "agent_error")).toEqual([]);
});

test.each([
  ["gives the same key", async (): Promise<null> => null],
  [
    "fails",
    async (): Promise<null> => {
      throw new Error("the vault is locked");
    },
  ],
  ["is not possible", null],
] as const)(
  "RUN-10: a refresh that %s leaves the first attempt's error, once, and asks for new credentials",
  async (_how, refresh) => {
    await using house = dispatchHouse();
    const stale = fakeModel(refused);
    const owner = house.move({ prepare: async () => refreshing(stale, refresh) });
    const session = owner.session();
    const { runId } = owner.ask(session, "p");
    expect(await owner.ended(runId)).toMatchObject({
      failure: { reason: "auth_refused", message: "fake: auth_refused", httpStatus: 401 },
      cancelled: false,
    });
    await owner.dispatcher.shutdown();
    expect(owner.terminals(runId).length).toBe(1);
    expect(stale.calls.length).toBe(1);
    const asked = owner.events.filter(({ type }) => type === "agent_notification");
    expect(asked).toEqual([
      {
        type: "agent_notification",
        kind: "re_authenticate",
        runId,
        sessionId: session,
        sessionTitle: "t",
        providerId: "fake",
      },
    ]);
  },
);

test("a key is renewed once in a prompt: the second refusal is the outcome", async () => {
  await using house = dispatchHouse();
  const again = fakeModel(refused);
  let renewed = 0;
  const refresh: Refresh = async () => {
    renewed += 1;
    return again;
  };
  const owner = house.move({ prepare: async () => refreshing(fakeModel(refused), refresh) });
  const { runId } = owner.ask(owner.session(), "p");
  expect((await owner.ended(runId)).failure?.reason).toBe("auth_refused");
  expect([renewed, again.calls.length]).toEqual([1, 1]);
  expect(owner.events.filter(({ type }) => type === "agent_notification").length).toBe(1);
});

test("a key that is known and may not do this (403) is not renewed", async () => {
  await using house = dispatchHouse();
  const forbidden = fakeModel(fails({ reason: "auth_refused", httpStatus: 403 }));
  const fresh = fakeModel(says("never"));
  const owner = house.move({ prepare: async () => refreshing(forbidden, async () => fresh) });
  const { runId } = owner.ask(owner.session(), "p");
  expect((await owner.ended(runId)).failure?.httpStatus).toBe(403);
  expect(fresh.calls.length).toBe(0);
});

test.each(["obeys", "finds a key all the same"])(
  "CAN-29, W-11: after a cancel during the refresh, which %s, there is no second attempt",
  async (how) => {
    await using house = dispatchHouse();
    const [stale, fresh] = [fakeModel(refused), fakeModel(says("never"))];
    const entered = deferred();
    const found = deferred<LanguageModel>();
    const refresh: Refresh = async (signal) => {
      entered.resolve();
      return how === "obeys" ? await orAborted(found.promise, signal) : await found.promise;
    };
    const owner = house.move({ prepare: async () => refreshing(stale, refresh) });
    const session = owner.session();
    const { runId } = owner.ask(session, "p");
    await entered.promise;
    owner.dispatcher.cancelSession(session, "by_client");
    found.resolve(fresh);
    expect(await owner.ended(runId)).toMatchObject({ cancelled: true });
    await owner.dispatcher.shutdown();
    expect(owner.terminals(runId).length).toBe(1);
    expect([stale.calls.length, fresh.calls.length]).toEqual([1, 0]);
    expect(owner.store.messages.list(session)).toMatchObject([
      { role: "user" },
      { role: "assistant", parts: [{ type: "finish", reason: "canceled" }] },
    ]);
    expect(owner.events.filter(({ type }) => type.startsWith("agent_"))).toEqual([]);
  },
);

test("QUE-27: the refresh of a queued prompt runs nobody else's prompt again", async () => {
  await using house = dispatchHouse();
  const fresh = fakeModel(says("B"));
  const models = [fakeModel(says("A")), fakeModel(refused)];
  const all = [...models, fresh];
  const owner = house.move({
    prepare: async () => refreshing(models.shift() ?? fresh, async () => fresh),
  });
  const session = owner.session();
  const a = owner.ask(session, "a").runId;
  const b = owner.ask(session, "b").runId;
  expect(await owner.ended(b)).toMatchObject({ text: "B", failure: null });
  expect(await owner.ended(a)).toMatchObject({ text: "A", failure: null });
  expect(all.map(({ calls }) => calls.length)).toEqual([1, 1, 1]);
  expect(owner.terminals().length).toBe(2);
});

/** A provider whose key is whatever stands in a file, told by a command. */
function withVault(folder: ProjectFolder, url: string): (key: string | null) => void {
  const file = `${folder.home}/vault`;
  folder.write(`${folder.home}/.config/crush/crush.json`, {
    providers: {
      corp: {
        type: "openai-compat",
        base_url: `${url}/v1`,
        api_key: `$(sh -c 'grep . ${file}')`,
        models: [{ id: "m" }],
      },
    },
  });
  return (key) => folder.write(file, key ?? "");
}

const keysOf = (requests: readonly { readonly headers: object }[]): unknown[] =>
  requests.map(({ headers }) => (headers as { authorization?: string }).authorization);

test("RUN-9: a key that a command says is asked for again when it is refused, kept, and masked", async () => {
  await using house = dispatchHouse();
  using folder = projectFolder();
  await using provider = await startFakeProvider(({ headers }) =>
    headers.authorization === "Bearer new-key-456" ? { text: "ok" } : { status: 401 },
  );
  const setKey = withVault(folder, provider.url);
  setKey("old-key-123");
  const config = await folder.load();
  const owner = house.move({ prepare: prepareTurn(config, {}) });
  const session = owner.session();
  const { runId } = owner.ask(session, "first");
  // Its command has answered by then, because the refused request was sent with what it said.
  await provider.waitForRequest(1);
  await owner.ended(runId);
  expect(owner.terminals(runId)).toMatchObject([{ failure: { reason: "auth_refused" } }]);
  setKey("new-key-456");
  expect(await owner.ended(owner.ask(session, "second").runId)).toMatchObject({ text: "ok" });
  expect(await owner.ended(owner.ask(session, "third").runId)).toMatchObject({ text: "ok" });
  expect(keysOf(provider.requests)).toEqual([
    "Bearer old-key-123",
    "Bearer old-key-123",
    "Bearer new-key-456",
    "Bearer new-key-456",
  ]);
  expect(config.secrets).toEqual(expect.arrayContaining(["old-key-123", "new-key-456"]));
});

test("ERR-17: an old key that cannot be renewed before a prompt has to do, and a warning says so", async () => {
  await using house = dispatchHouse();
  using folder = projectFolder();
  await using provider = await startFakeProvider({ text: "ok" });
  const setKey = withVault(folder, provider.url);
  setKey("old-key-123");
  const config = await folder.load();
  const { signal } = new AbortController();
  const selected = await resolveModel(config, "corp/m", "large", signal);
  setKey(null); // the command fails from now on
  const { provider: used, warning } = await freshKey(config, selected.provider, signal, -1);
  expect(used.apiKey).toBe("old-key-123");
  expect(warning).toMatch(/^the old key is used: /);
  // In a whole run: as old as it gets, for the time between two expansions is not to be waited for.
  const aged = new Map(
    [...config.completions].map(([id, completion]) => [
      id,
      {
        ...completion,
        credentials: completion.credentials && {
          ...completion.credentials,
          ageMs: () => Number.POSITIVE_INFINITY,
        },
      },
    ]),
  );
  const owner = house.move({ prepare: prepareTurn({ ...config, completions: aged }, {}) });
  const { runId } = owner.ask(owner.session(), "p");
  expect(await owner.ended(runId)).toMatchObject({ text: "ok", failure: null });
  expect(keysOf(provider.requests)).toEqual(["Bearer old-key-123"]);
  expect(owner.events).toContainEqual(
    expect.objectContaining({ type: "warning", runId, code: "key_refresh" }),
  );
  expect(owner.dispatcher.record(runId)?.outcome?.warnings).toEqual([warning]);
});

test("a key that a command said is asked for again when it is old, and not before", async () => {
  using folder = projectFolder();
  const setKey = withVault(folder, "http://127.0.0.1:9");
  setKey("old-key-123");
  const config = await folder.load();
  const { signal } = new AbortController();
  const { provider } = await resolveModel(config, "corp/m", "large", signal);
  setKey("new-key-456");
  expect((await freshKey(config, provider, signal)).provider.apiKey).toBe("old-key-123");
  expect((await freshKey(config, provider, signal, -1)).provider.apiKey).toBe("new-key-456");
  const later = await resolveModel(config, "corp/m", "large", signal);
  expect(later.provider.apiKey).toBe("new-key-456");
});

test("a key that stands in the environment or the file is not expanded again", async () => {
  using folder = projectFolder();
  folder.write(`${folder.home}/.config/crush/crush.json`, {
    providers: {
      corp: { base_url: "http://127.0.0.1:9/v1", api_key: "$KEY", models: [{ id: "m" }] },
    },
  });
  const env = { KEY: "some-key-123" };
  const config = await folder.load({ env });
  const { refreshModel } = await prepareTurn(config, env)(
    {
      seq: 1,
      sessionId: "s" as never,
      runId: null,
      options: { model: "corp/m" },
      attachments: [],
      previous: null,
    },
    new AbortController().signal,
  );
  expect(refreshModel).toBeNull();
});

test("prompts that need a key at the same time ask its command once", async () => {
  using folder = projectFolder();
  const asked = `${folder.home}/asked`;
  folder.write(`${folder.home}/.config/crush/crush.json`, {
    providers: {
      corp: {
        type: "openai-compat",
        base_url: "http://127.0.0.1:9/v1",
        api_key: `$(echo x >> ${asked}; grep -c x ${asked}; echo -key-of-corp)`,
        models: [{ id: "m" }],
      },
    },
  });
  const config = await folder.load();
  const { signal } = new AbortController();
  const keys = async (): Promise<Set<string | null>> => {
    const asking = Array.from({ length: 8 }, async () => {
      const { provider } = await resolveModel(config, "corp/m", "large", signal);
      return (await freshKey(config, provider, signal, -1)).provider.apiKey;
    });
    return new Set(await Promise.all(asking));
  };
  expect(await keys()).toEqual(new Set(["2\n-key-of-corp"])); // the first time it is expanded, and is too old at once
  expect(await keys()).toEqual(new Set(["3\n-key-of-corp"]));
});
