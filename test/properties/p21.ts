import * as fc from "fast-check";
import { anyPlan } from "./plan.ts";
import type { RaceProperty } from "./race-property.ts";
import { inWorld } from "./world.ts";

const running = anyPlan({ on: ["tools"], mostSteps: 3, ready: ["at once"], last: ["text"] });
const cancelled = anyPlan({ ready: ["later"], obeys: ["at once", "later"], mostSteps: 0 });
const last = fc.record({
  plan: anyPlan({ mostSteps: 1, last: ["text"] }),
  waitedFor: fc.boolean(),
});

export const p21: RaceProperty = {
  id: "P-21",
  title:
    "a turn that is cancelled on entry and the active turn are each whole in the history and for the model",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      running,
      fc.array(cancelled, { minLength: 1, maxLength: 2 }),
      last,
      async (scheduler, plan, others, end) =>
        await inWorld(stores, scheduler, (world) => {
          const process = world.start();
          const session = world.session();
          process.ask(session, { plan, waitedFor: true });
          for (const other of others)
            world.client(
              "client",
              () => process.ask(session, { plan: other, waitedFor: true }),
              () => {
                const mine = world.prompts.find((prompt) => prompt.plan === other);
                if (mine !== undefined) process.cancelRun(mine);
              },
            );
          world.client("accept", () => process.ask(session, end));
        }),
    ),
};
