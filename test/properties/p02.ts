import * as fc from "fast-check";
import { anyPlan } from "./plan.ts";
import type { RaceProperty } from "./race-property.ts";
import { inWorld, letsPass } from "./world.ts";

const plan = anyPlan({
  obeys: ["at once", "later", "never"],
  last: ["text", "text", "fails", "hangs"],
});

export const p02: RaceProperty = {
  id: "P-2",
  title:
    "a cancel at any await of a run ends it once, as cancelled, with the marker in its history",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      plan,
      fc.boolean(),
      fc.nat(8),
      async (scheduler, one, bySession, late) =>
        await inWorld(stores, scheduler, async (world) => {
          const process = world.start();
          const session = world.session();
          const prompt = process.ask(session, { plan: one, waitedFor: true });
          if (prompt === null) return world.must(false, "an idle session took no prompt");
          world.client("cancel", ...letsPass(late), () =>
            bySession ? process.cancelSession(session) : process.cancelRun(prompt),
          );
          await world.drive();
          const ended = process.dispatcher.record(prompt.runId ?? fail())?.outcome?.reason;
          const messages = process.store.messages.list(session);
          if (ended !== "by_client") return;
          world.must(messages.length >= 2, "a cancelled run has no marker, or no prompt");
          world.must(
            process.events.every(({ type }) => type !== "agent_error"),
            "a cancel was called an error",
          );
        }),
    ),
};

function fail(): never {
  throw new Error("somebody waits for it");
}
