import * as fc from "fast-check";
import { anyPlan } from "./plan.ts";
import type { RaceProperty } from "./race-property.ts";
import { inWorld } from "./world.ts";

const prompt = fc.record({
  plan: anyPlan({ mostSteps: 1 }),
  waitedFor: fc.constantFrom(true, true, false),
});

export const p20: RaceProperty = {
  id: "P-20",
  title: "prompts settle with the agent that accepted them, whatever agent takes its place",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(prompt, { minLength: 1, maxLength: 3 }),
      fc.array(prompt, { minLength: 1, maxLength: 3 }),
      fc.constantFrom("stays", "retires", "dies"),
      async (scheduler, before, after, fate) =>
        await inWorld(stores, scheduler, async (world) => {
          const old = world.start();
          const session = world.session();
          for (const asked of before)
            world.client("accept", () => old.state === "lives" && old.ask(session, asked));
          world.client("replace", () => {
            const heir = world.start();
            for (const asked of after) world.client("accept", () => heir.ask(session, asked));
            if (fate === "retires") world.client("retire", async () => await old.shutdown());
            if (fate === "dies") world.client("die", () => old.die());
          });
          await world.drive();
          for (const { name, process, flag } of world.prompts)
            world.must(flag === null && "AB".includes(process), `${name} has changed hands`);
        }),
    ),
};
