import * as fc from "fast-check";
import { watchedStore } from "../support/watched-store.ts";
import { anyPlan } from "./plan.ts";
import type { RaceProperty } from "./race-property.ts";
import { inWorld, letsPass } from "./world.ts";

const prompt = fc.record({
  plan: anyPlan({ obeys: ["at once", "later", "never"], mostSteps: 1 }),
  waitedFor: fc.constantFrom(true, true, false),
  elsewhere: fc.boolean(),
});

export const p12: RaceProperty = {
  id: "P-12",
  title:
    "a shutdown at any await settles every prompt, and closes the store after the last of them",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(prompt, { minLength: 1, maxLength: 4 }),
      fc.option(fc.nat(3), { nil: null }),
      fc.nat(6),
      async (scheduler, prompts, stubborn, late) =>
        await inWorld(stores, scheduler, async (world) => {
          const isStubborn = stubborn === 0;
          const process = world.start({
            isStubborn,
            wrap: (store) =>
              watchedStore(store, ({ name }) => {
                const [first] = world.processes;
                if (first?.state === "closed" && !isStubborn)
                  world.must(false, `${name} after the store was closed`);
              }),
          });
          const sessions = [world.session(), world.session()] as const;
          for (const { elsewhere, ...asked } of prompts) {
            const options = isStubborn ? { killAfterMs: 60_000 } : {};
            world.client("accept", () =>
              process.ask(sessions[elsewhere ? 1 : 0], { ...asked, options }),
            );
          }
          world.client("shut down", ...letsPass(late), async () => await process.shutdown());
          await world.drive();
          world.must(process.state === "closed", "the shutdown has no end");
        }),
    ),
};
