import * as fc from "fast-check";
import { anyPlan, type Plan } from "./plan.ts";
import type { RaceProperty } from "./race-property.ts";
import { inWorld, letsPass } from "./world.ts";

const summarised: fc.Arbitrary<Plan> = fc
  .tuple(
    anyPlan({ on: ["tools"], mostSteps: 2, last: ["text", "text", "fails"] }),
    fc.option(fc.nat(2), { nil: null }),
    fc.constantFrom<NonNullable<Plan["summary"]>[]>("text", "text", "fails"),
  )
  .map(([plan, fillsAt, summary]) => ({ ...plan, fillsAt, summary }));
const prompt = fc.record({ plan: summarised, waitedFor: fc.constantFrom(true, true, false) });

export const p10: RaceProperty = {
  id: "P-10",
  title: "no turn goes on after a cancel of its summary, and each RunID has one terminal event",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(prompt, { minLength: 1, maxLength: 3 }),
      fc.option(summarised, { nil: null }),
      fc.array(fc.nat(12), { maxLength: 2 }),
      async (scheduler, prompts, byHand, cancels) =>
        await inWorld(stores, scheduler, async (world) => {
          let ended = byHand === null;
          const process = world.start();
          const session = world.session();
          for (const asked of prompts) world.client("accept", () => process.ask(session, asked));
          if (byHand !== null)
            world.client("summarize", async () => {
              await process.summarize(session, byHand);
              ended = true;
            });
          for (const late of cancels)
            world.client("cancel", ...letsPass(late), () => process.cancelSession(session));
          await world.drive();
          world.must(ended, "a summary has no end");
        }),
    ),
};
