import * as fc from "fast-check";
import { anyPlan } from "./plan.ts";
import type { RaceProperty } from "./race-property.ts";
import { inWorld } from "./world.ts";

const slow = anyPlan({ obeys: ["later", "later", "never"], last: ["text", "hangs"] });
const later = fc.record({
  plan: anyPlan({ mostSteps: 1, last: ["text"] }),
  waitedFor: fc.boolean(),
});

export const p06: RaceProperty = {
  id: "P-6",
  title: "a prompt that is accepted while a cancelled run winds down runs after it",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      slow,
      fc.array(later, { minLength: 1, maxLength: 2 }),
      async (scheduler, plan, others) =>
        await inWorld(stores, scheduler, async (world) => {
          const process = world.start();
          const session = world.session();
          const first = process.ask(session, { plan: { ...plan, lingers: true }, waitedFor: true });
          world.client(
            "client",
            () => {},
            () => process.cancelSession(session, "signal"),
            ...others.map((asked) => () => process.ask(session, asked)),
          );
          await world.drive();
          for (const { flag, name } of world.prompts)
            world.must(flag === null || name === first?.name, `${name} was covered by the cancel`);
        }),
    ),
};
