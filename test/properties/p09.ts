import * as fc from "fast-check";
import type { NewMessage } from "../../src/store/messages.ts";
import { storageFailure, watchedStore } from "../support/watched-store.ts";
import { anyPlan } from "./plan.ts";
import type { RaceProperty } from "./race-property.ts";
import { inWorld } from "./world.ts";

const running = anyPlan({ on: ["tools"], mostSteps: 3, last: ["text"], ready: ["at once"] });
const other = fc.record({
  plan: anyPlan({ mostSteps: 0, last: ["text"], ready: ["at once", "later"] }),
  waitedFor: fc.constantFrom(false, false, false, true),
});

export const p09: RaceProperty = {
  id: "P-9",
  title: "a user message that cannot be stored, at whatever place of a drain, loses no prompt",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      running,
      fc.array(other, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 5 }),
      async (scheduler, plan, others, failing) =>
        await inWorld(stores, scheduler, async (world) => {
          let written = 0;
          const process = world.start({
            wrap: (store) =>
              watchedStore(store, ({ name, values }) => {
                const [message] = values as [NewMessage | undefined];
                if (name !== "messages.insert" || message?.role !== "user") return;
                written += 1;
                if (written !== failing) return;
                // It is the turn that wanted to write which fails, and no other prompt.
                const [active] = store.runs.open(message.sessionId);
                for (const one of world.prompts)
                  if (one.seq === active?.seq) one.instead.add("storage");
                throw storageFailure();
              }),
          });
          const session = world.session();
          process.ask(session, { plan, waitedFor: true });
          for (const asked of others) world.client("accept", () => process.ask(session, asked));
          await world.drive();
          const lost = world.prompts.filter(
            ({ seq }) => process.store.runs.outcome(seq)?.reason === "storage",
          );
          world.must(lost.length <= 1, `one write failed, and ${lost.length} prompts with it`);
        }),
    ),
};
