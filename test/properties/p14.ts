import * as fc from "fast-check";
import { newRunId, type RunId } from "../../src/protocol/ids.ts";
import { textOf } from "../../src/protocol/message.ts";
import type { Transport } from "../../src/protocol/http.ts";
import { limitsOf } from "../../src/protocol/run-options.ts";
import { embeddedServer, type EmbeddedServer } from "../../src/server/server.ts";
import type { StoreKind, Disk } from "../support/disk.ts";
import { emptyConfig } from "../support/fake-server.ts";
import { turnSetup } from "../support/turn-setup.ts";
import { anyPlan, becomeReady, endOf, modelOf, toolOf, type Plan, type Stage } from "./plan.ts";
import { race, type Race } from "./race.ts";
import type { RaceProperty } from "./race-property.ts";

const request = fc.record({
  plan: anyPlan({ mostSteps: 1 }),
  /** When its client stops waiting for the answer. */
  leaves: fc.constantFrom("never" as const, "at once" as const, "later" as const),
});

export const p14: RaceProperty = {
  id: "P-14",
  title:
    "a request that is aborted and a stream that is dropped, at any point, change nothing about a run",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(request, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 0, max: 3 }),
      async (scheduler, requests, readers) => await play(stores, scheduler, requests, readers),
    ),
};

type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

interface Sent {
  readonly runId: RunId;
  readonly plan: Plan;
  status: number | null;
}

async function play(
  stores: StoreKind,
  scheduler: fc.Scheduler,
  requests: readonly Request[],
  readers: number,
): Promise<void> {
  using disk = stores.disk();
  using schedule = race(scheduler);
  const sent: Sent[] = [];
  const server = serverOn(disk, schedule, sent);
  const { transport } = server;
  const workspace = await created(transport, "/workspaces", { path: PLACE, client_id: "c0" });
  const base = `/workspaces/${workspace}`;
  const session = await created(transport, `${base}/sessions`, { title: "t" });
  for (const { plan, leaves } of requests) {
    const one: Sent = { runId: newRunId(), plan, status: null };
    void post(transport, schedule, `${base}/agent`, session, one, leaves, sent);
  }
  for (let n = 0; n < readers; n += 1) void readAWhile(transport, schedule, base, `c${n}`);
  await schedule.drive();
  void server.close();
  await schedule.drive();
  const faults = [...schedule.broken, ...faultsIn(disk, sent)];
  if (faults.length > 0) throw new Error(faults.join("\n"));
}

const PLACE = "/nowhere";
const HOST = "http://crush.test/v1";
const never = new AbortController().signal;

/** The server as it stands alone: clients that are lost sight of lose their hold after a time. */
function serverOn(disk: Disk, schedule: Race, sent: readonly Sent[]): EmbeddedServer {
  return embeddedServer({
    version: "1",
    clock: schedule.time,
    random: () => 0.5,
    loadConfig: async () => emptyConfig(PLACE),
    openStore: disk.open,
    claimTimes: { creationMs: 150, detachMs: 50 },
    setAlarm: (ms, ring) => {
      const timer = setTimeout(ring, ms);
      return () => clearTimeout(timer);
    },
    prepareTurn:
      () =>
      async ({ runId }, signal) => {
        const known = sent.find((one) => one.runId === runId);
        if (known === undefined) throw new Error(`nobody has sent ${runId ?? ""}`);
        const stage = stageOf(known, schedule);
        await becomeReady(known.plan, stage, signal);
        return turnSetup(modelOf(known.plan, stage), {
          tools: [toolOf(known.plan, stage)],
          limits: limitsOf({ retryMaxWaitMs: 20 }),
        });
      },
    onInterrupted: () => {},
    storeLimitBytes: null,
  });
}

const stageOf = ({ runId }: Sent, schedule: Race): Stage => ({
  name: `run ${runId.slice(0, 4)}`,
  turn: schedule.turn,
  over: new Promise(() => {}),
  decided: () => {},
  onCall: () => {},
});

async function created(transport: Transport, path: string, body: unknown): Promise<string> {
  const answer = await transport(`${HOST}${path}`, {
    method: "POST",
    headers: {},
    body: JSON.stringify(body),
    signal: never,
  });
  return (JSON.parse(await answer.text()) as { id: string }).id;
}

async function post(
  transport: Transport,
  schedule: Race,
  path: string,
  session: string,
  one: Sent,
  leaves: Request["leaves"],
  sent: Sent[],
): Promise<void> {
  const client = new AbortController();
  await schedule.turn("post");
  sent.push(one);
  const body = { session_id: session, run_id: one.runId, prompt: one.runId };
  const asked = transport(`${HOST}${path}`, {
    method: "POST",
    headers: {},
    body: JSON.stringify(body),
    signal: client.signal,
  });
  if (leaves === "at once") client.abort();
  try {
    one.status = (await asked).status;
  } catch {
    // It does not wait for the answer any more.
  }
  if (leaves !== "later") return;
  await schedule.turn("abort the request");
  client.abort();
}

/** Reads events, and goes without a word after a while. */
async function readAWhile(
  transport: Transport,
  schedule: Race,
  base: string,
  client: string,
): Promise<void> {
  const reader = new AbortController();
  await schedule.turn("subscribe");
  const path = `${HOST}${base}/events?client_id=${client}`;
  const asked = { method: "GET", headers: {}, body: null, signal: reader.signal };
  const read = async (): Promise<void> => {
    const { body } = await transport(path, asked);
    if (body === null) return;
    for await (const _frames of body) await schedule.turn("read");
  };
  const reading = read().catch(() => {}); // the workspace may be gone, and the signal ends it
  await schedule.turn("stay");
  await schedule.turn("drop the stream");
  reader.abort();
  await reading;
}

function faultsIn(disk: Disk, sent: readonly Sent[]): string[] {
  const faults: string[] = [];
  const store = disk.open();
  if (store.runs.openSessions().length > 0) faults.push("a run is open at the end");
  for (const { runId, plan, status } of sent) {
    const record = store.runs.record(runId);
    const ended = record?.outcome?.reason;
    if (status === 202 && record === null) faults.push(`${runId} was accepted, and is not stored`);
    if (record === null) continue;
    if (ended !== endOf(plan)) faults.push(`${runId} ended as ${ended ?? "nothing"}`);
    const asked = store.messages
      .list(record.sessionId)
      .filter((message) => message.role === "user" && textOf(message) === runId);
    const ready = plan.ready === "at once" || plan.ready === "later";
    if (asked.length !== (ready ? 1 : 0)) faults.push(`${runId} was asked ${asked.length} times`);
  }
  return faults;
}
