import * as fc from "fast-check";
import { anyPlan } from "./plan.ts";
import type { RaceProperty } from "./race-property.ts";
import { inWorld, letsPass } from "./world.ts";

const waiting = fc.record({
  plan: anyPlan({ mostSteps: 1, last: ["text"] }),
  waitedFor: fc.boolean(),
});

export const p05: RaceProperty = {
  id: "P-5",
  title: "a cancel around a hand-off ends the next prompt exactly if that was accepted before it",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      anyPlan({ mostSteps: 1 }),
      fc.array(waiting, { minLength: 1, maxLength: 2 }),
      fc.constantFrom("any time", "in the listener", "one of them"),
      fc.nat(6),
      async (scheduler, plan, others, when, late) =>
        await inWorld(stores, scheduler, (world) => {
          let cancelled = false;
          const process = world.start({
            onEvent: ({ type }, self) => {
              if (type !== "run_complete" || when !== "in the listener" || cancelled) return;
              cancelled = true;
              self.cancelSession(session);
            },
          });
          const session = world.session();
          process.ask(session, { plan, waitedFor: true });
          for (const asked of others) world.client("accept", () => process.ask(session, asked));
          if (when === "any time")
            world.client("cancel", ...letsPass(late), () => process.cancelSession(session));
          if (when === "one of them")
            world.client("cancel one", () => {
              const last = world.prompts.at(-1);
              if (last !== undefined) process.cancelRun(last, "signal");
            });
        }),
    ),
};
