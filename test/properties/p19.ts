import * as fc from "fast-check";
import { storageFailure, watchedStore } from "../support/watched-store.ts";
import { anyPlan } from "./plan.ts";
import type { RaceProperty } from "./race-property.ts";
import { inWorld } from "./world.ts";

const prompt = fc.record({
  plan: anyPlan({ mostSteps: 1 }),
  waitedFor: fc.constant(true),
  // A refused write stops everything for seconds, which is no idleness of the model's.
  options: fc.constant({ idleTimeoutMs: 600_000 }),
});

/** What a refused write waits for the lock: long the first time, then short (store/database). */
const BUSY_MS = [10_000, 1_000] as const;
/** A run may still need the time to obey; then the refused writes of its end are all there is. */
const BUDGET_MS = 20_000;

export const p19: RaceProperty = {
  id: "P-19",
  title:
    "a store that refuses to write, for a while or for good, keeps no run from ending and telling so",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(prompt, { minLength: 1, maxLength: 3 }),
      fc.nat(40),
      fc.option(fc.integer({ min: 1, max: 12 }), { nil: null }),
      fc.boolean(),
      async (scheduler, prompts, first, refusals, cancels) =>
        await inWorld(
          stores,
          scheduler,
          async (world) => {
            const { time } = world.race;
            let writes = 0;
            let refused = 0;
            let since: number | null = null;
            const told = new Map<string | null, number>();
            const process = world.start({
              wrap: (store) =>
                watchedStore(store, (call) => {
                  // For good: until there is nobody left who could be told.
                  if (!call.writes || told.size === world.prompts.length) return;
                  writes += 1;
                  if (writes <= first || (refusals !== null && refused >= refusals)) return;
                  refused += 1;
                  since ??= time.monotonic();
                  time.spend(BUSY_MS[Math.min(refused - 1, 1)] ?? 0);
                  throw storageFailure();
                }),
              onEvent: (event) => {
                if (event.type === "run_complete") told.set(event.runId, time.monotonic());
              },
            });
            // Behind a run whose outcome cannot be stored nobody starts: with no end to that, each has a session of its own.
            const session = world.session();
            for (const asked of prompts) {
              const mine = refusals === null ? world.session() : session;
              world.client("accept", () => process.ask(mine, asked));
              if (cancels) world.client("cancel", () => process.cancelSession(mine));
            }
            await world.drive();
            for (const { runId, name } of world.prompts) {
              const at = told.get(runId);
              world.must(at !== undefined, `${name} ended, and nobody was told`);
              if (refusals !== null || since === null || at === undefined) continue;
              world.must(
                at - since < BUDGET_MS * world.prompts.length,
                `${name} took ${at - since} ms`,
              );
            }
          },
          { storeFails: true },
        ),
    ),
};
