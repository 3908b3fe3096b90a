import * as fc from "fast-check";
import { anyPlan } from "./plan.ts";
import type { RaceProperty } from "./race-property.ts";
import { inWorld } from "./world.ts";

const prompt = fc.record({ plan: anyPlan({ mostSteps: 1 }), waitedFor: fc.boolean() });

export const p16: RaceProperty = {
  id: "P-16",
  title:
    "a prompt that is sent from the listener of a terminal event is not blocked by the ended run",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(prompt, { minLength: 1, maxLength: 3 }),
      fc.array(prompt, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      async (scheduler, prompts, next, cancels) =>
        await inWorld(stores, scheduler, async (world) => {
          const answers = [...next];
          const alone = new Set<string | null>();
          const process = world.start({
            onEvent: (event, self) => {
              if (event.type !== "run_complete" || event.runId === null) return;
              const ended = world.prompts.find(({ runId }) => runId === event.runId);
              const open = self.store.runs.open(session);
              world.must(
                !open.some(({ seq }) => seq === ended?.seq),
                "the ended run is still open",
              );
              world.must(
                open.length > 0 || !self.dispatcher.isBusy(session),
                "nothing is open, and the session is busy",
              );
              const asked = answers.shift();
              if (asked === undefined) return;
              const sent = self.ask(session, asked);
              if (open.length === 0) alone.add(sent?.runId ?? null);
            },
          });
          const session = world.session();
          for (const asked of prompts) world.client("accept", () => process.ask(session, asked));
          if (cancels) world.client("cancel", () => process.cancelSession(session));
          await world.drive();
          for (const event of process.events)
            if (event.type === "run.queued" && event.runId !== null)
              world.must(!alone.has(event.runId), "it waits behind the run that has ended");
        }),
    ),
};
