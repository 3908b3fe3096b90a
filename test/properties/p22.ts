import * as fc from "fast-check";
import type { SessionId } from "../../src/protocol/ids.ts";
import { anyPlan } from "./plan.ts";
import type { RaceProperty } from "./race-property.ts";
import type { Process } from "./process.ts";
import { inWorld, type World } from "./world.ts";

const where = { process: fc.nat(1), session: fc.nat(1) };
const accept = fc.record({
  do: fc.constant("accept" as const),
  ...where,
  plan: anyPlan({ obeys: ["at once", "later", "never"], last: ["text", "text", "fails", "hangs"] }),
  waitedFor: fc.boolean(),
});
const onSession = fc.record({
  do: fc.constantFrom("cancel" as const, "clear" as const, "look" as const),
  ...where,
});
const onPrompt = fc.record({
  do: fc.constantFrom("cancel one" as const, "attach" as const, "record" as const),
  ...where,
  pick: fc.nat(9),
});
const onProcess = fc.record({
  do: fc.constantFrom("die" as const, "shut down" as const),
  ...where,
});
const deed = fc.oneof(
  { weight: 6, arbitrary: accept },
  { weight: 3, arbitrary: onSession },
  { weight: 3, arbitrary: onPrompt },
  { weight: 1, arbitrary: onProcess },
);
type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;

export const p22: RaceProperty = {
  id: "P-22",
  title:
    "after any script of any clients everything is idle, and each RunID has had its terminal event",
  property: (stores) =>
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.array(deed, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 }),
      async (scheduler, clients) =>
        await inWorld(stores, scheduler, (world) => {
          const processes = [world.start(), world.start()];
          const sessions = [world.session(), world.session()];
          for (const deeds of clients)
            world.client(
              "client",
              ...deeds.map((one) => () => {
                const process = processes[one.process];
                const session = sessions[one.session];
                if (process?.state === "lives" && session !== undefined)
                  carryOut(one, world, process, session);
              }),
            );
        }),
    ),
};

function carryOut(one: Deed, world: World, process: Process, session: SessionId): void {
  switch (one.do) {
    case "accept":
      process.ask(session, one);
      return;
    case "cancel":
      process.cancelSession(session, one.session === 0 ? "by_client" : "signal");
      return;
    case "clear":
      process.clear(session);
      return;
    case "look":
      process.call((dispatcher) => dispatcher.recover());
      return;
    case "die":
      process.die();
      return;
    case "shut down":
      void process.shutdown();
      return;
    case "cancel one":
    case "attach":
    case "record": {
      const prompt = world.prompts[one.pick % Math.max(1, world.prompts.length)];
      if (prompt === undefined) return;
      if (one.do === "cancel one") process.cancelRun(prompt, "signal");
      if (one.do === "attach") process.attach(prompt);
      const { runId } = prompt;
      if (one.do === "record" && runId !== null)
        process.call((dispatcher) => dispatcher.record(runId));
    }
  }
}
