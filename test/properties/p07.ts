import * as fc from "fast-check";
import { anyPlan } from "./plan.ts";
import type { RaceProperty } from "./race-property.ts";
import { inWorld, letsPass } from "./world.ts";

const leftBehind = anyPlan({ obeys: ["never"], last: ["text", "hangs"] });
const next = anyPlan({ mostSteps: 1 });

export const p07: RaceProperty = {
  id: "P-7",
  title:
    "what a run does after its end does not touch the slot of the next one, which stays cancellable",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      leftBehind,
      next,
      fc.boolean(),
      fc.nat(12),
      async (scheduler, first, second, cancels, late) =>
        await inWorld(stores, scheduler, (world) => {
          const process = world.start();
          const session = world.session();
          const left = process.ask(session, { plan: { ...first, lingers: true }, waitedFor: true });
          world.client(
            "first client",
            () => {},
            () => left !== null && process.cancelRun(left),
          );
          world.client(
            "second client",
            () => process.ask(session, { plan: second, waitedFor: true }),
            ...letsPass(late),
            () => {
              const other = world.prompts[1];
              if (cancels && other !== undefined) process.cancelRun(other);
            },
          );
        }),
    ),
};
