import * as fc from "fast-check";
import { RunFailed } from "../../src/protocol/ending.ts";
import { anyPlan } from "./plan.ts";
import type { RaceProperty } from "./race-property.ts";
import { inWorld } from "./world.ts";

const prompt = fc.record({ plan: anyPlan({ mostSteps: 1 }), waitedFor: fc.boolean() });

export const p13: RaceProperty = {
  id: "P-13",
  title: "a prompt that meets a shutdown is counted and settled, or refused",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(prompt, { minLength: 1, maxLength: 4 }),
      async (scheduler, prompts) =>
        await inWorld(stores, scheduler, async (world) => {
          const process = world.start();
          const session = world.session();
          for (const asked of prompts)
            world.client("accept", () => {
              const taken = process.ask(session, asked);
              world.must(
                (taken === null) === (process.state !== "lives"),
                `it is ${process.state}, and took ${taken === null ? "nothing" : taken.name}`,
              );
              if (taken !== null)
                world.must(process.dispatcher.inFlight() > 0, `${taken.name} is not counted`);
            });
          world.client("shut down", async () => await process.shutdown());
          await world.drive();
          for (const { error, name } of world.rejected)
            world.must(
              error instanceof RunFailed && error.failure.reason === "by_shutdown",
              `${name} was refused with ${String(error)}`,
            );
        }),
    ),
};
