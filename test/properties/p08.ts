import * as fc from "fast-check";
import { anyPlan } from "./plan.ts";
import type { RaceProperty } from "./race-property.ts";
import { inWorld } from "./world.ts";

const running = anyPlan({ on: ["tools"], mostSteps: 3 });
const other = fc.record({
  plan: anyPlan({ mostSteps: 0, last: ["text"] }),
  waitedFor: fc.constantFrom(false, false, true),
  elsewhere: fc.constantFrom(false, false, true),
});

export const p08: RaceProperty = {
  id: "P-8",
  title: "with clears, enqueues and drains in any order each prompt has one fate",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      running,
      fc.array(other, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 2 }),
      fc.boolean(),
      async (scheduler, plan, others, clears, cancels) =>
        await inWorld(stores, scheduler, (world) => {
          const [here, there] = [world.start(), world.start()];
          const session = world.session();
          const first = here.ask(session, { plan, waitedFor: true });
          for (const { elsewhere, ...asked } of others)
            world.client("accept", () => (elsewhere ? there : here).ask(session, asked));
          for (let n = 0; n < clears; n += 1)
            world.client("clear", () => (n === 0 ? here : there).clear(session));
          if (cancels && first !== null)
            world.client("cancel the running one", () => there.cancelRun(first));
        }),
    ),
};
