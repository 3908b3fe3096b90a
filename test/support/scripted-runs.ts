import { deferred, type Deferred } from "../../src/shared/deferred.ts";
import { orAborted } from "../../src/shared/or-aborted.ts";
import { says, type ModelStep } from "./fake-model.ts";
import type { ServerWishes } from "./fake-server.ts";

/** One run of the real server, held by the test at its readiness and in its model call; a cancel wins over an open gate. */
export interface ScriptedRun {
  /** Its readiness has begun: it is accepted, and has neither slot nor place in the queue. */
  readonly parked: Promise<void>;
  unpark(): void;
  /** Its model is called: it holds the slot. */
  readonly entered: Promise<void>;
  /** The model answers `<run id> done`. */
  release(): void;
  /** How often the model was called for it. */
  readonly calls: () => number;
}

/** The doubles S-21 and S-22 of behaviour.md over the real dispatcher: readiness and model are gated, the rest is the product's. */
export interface ScriptedRuns {
  /** Both gates of such a run are closed until the test opens them. Of all others, both are open. */
  script(runId: string): ScriptedRun;
  /** For `fakeServer`. */
  readonly wishes: Pick<ServerWishes, "ready" | "stepOf">;
}

interface Gates {
  readonly parked: Deferred<void>;
  readonly unparked: Deferred<void>;
  readonly entered: Deferred<void>;
  readonly released: Deferred<void>;
  calls: number;
}

export function scriptedRuns(): ScriptedRuns {
  const runs = new Map<string, Gates>();
  return {
    script: (runId) => {
      const gates: Gates = {
        parked: deferred(),
        unparked: deferred(),
        entered: deferred(),
        released: deferred(),
        calls: 0,
      };
      runs.set(runId, gates);
      return {
        parked: gates.parked.promise,
        unpark: () => gates.unparked.resolve(),
        entered: gates.entered.promise,
        release: () => gates.released.resolve(),
        calls: () => gates.calls,
      };
    },
    wishes: {
      ready: async (runId, signal) => {
        const gates = runs.get(runId ?? "");
        gates?.parked.resolve();
        if (gates !== undefined) await orAborted(gates.unparked.promise, signal);
      },
      stepOf: (runId) => {
        const gates = runs.get(runId);
        return gates === undefined ? null : gatedStep(runId, gates);
      },
    },
  };
}

const gatedStep = (runId: string, gates: Gates): ModelStep =>
  async function* scripted(call, signal) {
    gates.calls += 1;
    gates.entered.resolve();
    await orAborted(gates.released.promise, signal);
    yield* says(`${runId} done`)(call, signal);
  };
