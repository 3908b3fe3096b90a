import * as fc from "fast-check";
import { anyPlan } from "./plan.ts";
import type { RaceProperty } from "./race-property.ts";
import { inWorld } from "./world.ts";

const prompt = fc.record({
  plan: anyPlan({ ready: ["at once", "later"], last: ["text"], mostSteps: 1 }),
  waitedFor: fc.boolean(),
  elsewhere: fc.boolean(),
});

export const p03: RaceProperty = {
  id: "P-3",
  title: "prompts that get ready for an idle session in any order never hold two slots",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(prompt, { minLength: 2, maxLength: 4 }),
      async (scheduler, prompts) =>
        await inWorld(stores, scheduler, async (world) => {
          const [here, there] = [world.start(), world.start()];
          const session = world.session();
          for (const { elsewhere, ...asked } of prompts)
            world.client("accept", () => (elsewhere ? there : here).ask(session, asked));
          await world.drive();
          world.must(world.rejected.length === 0, "an idle session took no prompt");
          for (const { seq, name } of world.prompts)
            world.must(here.store.runs.outcome(seq)?.reason === "end_turn", `${name} did not run`);
        }),
    ),
};
