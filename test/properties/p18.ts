import * as fc from "fast-check";
import { watchedStore } from "../support/watched-store.ts";
import { anyPlan } from "./plan.ts";
import type { RaceProperty } from "./race-property.ts";
import { inWorld } from "./world.ts";

const prompt = fc.record({
  plan: anyPlan({
    ready: ["at once", "later", "throws"],
    on: ["tools"],
    last: ["text", "throws"],
    mostSteps: 1,
  }),
  waitedFor: fc.boolean(),
});

export const p18: RaceProperty = {
  id: "P-18",
  title:
    "an exception at any await or call leaves one errored terminal event, a free slot and a living process",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(prompt, { minLength: 1, maxLength: 3 }),
      fc.option(fc.integer({ min: 1, max: 120 }), { nil: null }),
      fc.boolean(),
      async (scheduler, prompts, failing, cancels) =>
        await inWorld(
          stores,
          scheduler,
          (world) => {
            let calls = 0;
            const process = world.start({
              wrap: (store) =>
                watchedStore(store, ({ name }) => {
                  if (world.processes.length > 0) calls += 1;
                  if (calls === failing) throw new TypeError(`a bug in ${name}`);
                }),
            });
            const session = world.session();
            for (const asked of prompts) world.client("accept", () => process.ask(session, asked));
            if (cancels) world.client("cancel", () => process.cancelSession(session));
          },
          { storeFails: failing !== null },
        ),
    ),
};
