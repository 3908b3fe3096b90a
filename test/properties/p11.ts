import * as fc from "fast-check";
import { anyPlan, type Plan } from "./plan.ts";
import type { RaceProperty } from "./race-property.ts";
import { inWorld, letsPass } from "./world.ts";

const refused: fc.Arbitrary<Plan> = fc
  .tuple(
    anyPlan({ on: ["refused", "tools"], mostSteps: 2, last: ["text", "refused"] }),
    fc.constantFrom<NonNullable<Plan["key"]>[]>("fresh", "fresh", "same", "fails"),
  )
  .map(([plan, key]) => ({ ...plan, key, steps: ["refused", ...plan.steps] }));
const prompt = fc.record({ plan: refused, waitedFor: fc.constantFrom(true, true, false) });

export const p11: RaceProperty = {
  id: "P-11",
  title:
    "a cancel while a key is renewed leaves no second attempt, and the prompt stands once in the history",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(prompt, { minLength: 1, maxLength: 2 }),
      fc.boolean(),
      fc.nat(8),
      async (scheduler, prompts, bySession, late) =>
        await inWorld(stores, scheduler, (world) => {
          const process = world.start();
          const session = world.session();
          for (const asked of prompts) world.client("accept", () => process.ask(session, asked));
          world.client("cancel", ...letsPass(late), () => {
            const [first] = world.prompts;
            if (bySession) process.cancelSession(session);
            else if (first !== undefined) process.cancelRun(first);
          });
        }),
    ),
};
