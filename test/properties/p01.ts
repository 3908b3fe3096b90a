import * as fc from "fast-check";
import { anyPlan } from "./plan.ts";
import type { RaceProperty } from "./race-property.ts";
import { inWorld } from "./world.ts";

const prompt = fc.record({ plan: anyPlan({ mostSteps: 1 }), waitedFor: fc.boolean() });

export const p01: RaceProperty = {
  id: "P-1",
  title: "a cancel ends exactly the prompts accepted before it whose outcome is open",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(prompt, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 2 }),
      async (scheduler, prompts, cancels) =>
        await inWorld(stores, scheduler, (world) => {
          const process = world.start();
          const session = world.session();
          for (const asked of prompts) world.client("accept", () => process.ask(session, asked));
          for (let n = 0; n < cancels; n += 1)
            world.client("cancel", () =>
              process.cancelSession(session, n === 0 ? "by_client" : "signal"),
            );
        }),
    ),
};
