import * as fc from "fast-check";
import { anyPlan } from "./plan.ts";
import type { RaceProperty } from "./race-property.ts";
import { inWorld } from "./world.ts";

const late = fc.record({ plan: anyPlan({ mostSteps: 1 }), waitedFor: fc.boolean() });

export const p04: RaceProperty = {
  id: "P-4",
  title:
    "a prompt that is accepted while a turn ends is folded, queued and run, or active, never lost",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      anyPlan(),
      fc.array(late, { minLength: 1, maxLength: 3 }),
      async (scheduler, plan, others) =>
        await inWorld(stores, scheduler, (world) => {
          const process = world.start();
          const session = world.session();
          process.ask(session, { plan, waitedFor: true });
          for (const asked of others)
            world.client("accept", () => {
              world.must(process.ask(session, asked) !== null, "a prompt was not taken");
            });
        }),
    ),
};
