import { expect, test } from "vitest";
import { failure, RunFailed } from "../../src/protocol/ending.ts";
import { newRunId } from "../../src/protocol/ids.ts";
import { deferred } from "../../src/shared/deferred.ts";
import type { Store } from "../../src/store/store.ts";
import { dispatchHouse } from "../support/dispatch-house.ts";
import { stalls } from "../support/fake-model.ts";
import { watchedStore } from "../support/watched-store.ts";

/** Notes how durable the commit of each settlement is; `normal` is what nobody asked to be more. */
function settlements(): { readonly wrap: (store: Store) => Store; readonly commits: string[] } {
  const commits: string[] = [];
  const depth: string[] = [];
  const wrap = (store: Store): Store => {
    const transaction: Store["transaction"] = (work, durability = "normal") => {
      depth.push(durability);
      const before = commits.length;
      try {
        return store.transaction(work, durability);
      } catch (error) {
        commits.length = before; // nothing of it was stored
        throw error;
      } finally {
        depth.pop();
      }
    };
    return watchedStore({ ...store, transaction }, ({ name }) => {
      if (name === "runs.settle") commits.push(depth[0] ?? "none");
    });
  };
  return { wrap, commits };
}

test("the end of a turn, and of a prompt that does not get ready, survives a power cut", async () => {
  await using house = dispatchHouse();
  const { wrap, commits } = settlements();
  const refused = new RunFailed(failure("unknown_model", "no such model"));
  const hold = async (prompt: string): Promise<void> => {
    if (prompt === "two") throw refused;
  };
  const owner = house.move({ wrap, hold });
  const session = owner.session();
  await owner.ended(owner.ask(session, "one").runId);
  expect((await owner.ended(owner.ask(session, "two").runId)).failure).toEqual(refused.failure);
  expect(commits).toEqual(["full", "full"]);
});

test("the end of a cancelled prompt survives a power cut, whether it ran, waited or was not ready yet", async () => {
  await using house = dispatchHouse();
  const { wrap, commits } = settlements();
  const gate = deferred();
  const hold = async (prompt: string): Promise<void> => {
    if (prompt === "three") await gate.promise;
  };
  const owner = house.move({ wrap, hold, steps: { one: [stalls({ type: "text", text: "so" })] } });
  const session = owner.session();
  const [ran, waited, reserved] = ["one", "two", "three"].map((text) => owner.ask(session, text));
  await owner.seen(({ type }) => type === "text.delta");
  await owner.seen(({ type }) => type === "run.queued");
  owner.dispatcher.cancelSession(session, "by_client");
  await owner.ended(ran?.runId ?? newRunId());
  await owner.ended(waited?.runId ?? newRunId());
  expect(commits).toEqual(["full", "full"]);
  gate.resolve();
  const last = await owner.ended(reserved?.runId ?? newRunId());
  expect(last).toMatchObject({ cancelled: true });
  expect(commits).toEqual(["full", "full", "full"]);
});

test("so does that of what a dead process left", async () => {
  await using house = dispatchHouse();
  const { wrap, commits } = settlements();
  const dead = house.move({ steps: { one: [stalls()] } });
  const { runId } = dead.ask(dead.session(), "one");
  await dead.seen(({ type }) => type === "step.started");
  dead.die();
  const heir = house.move({ wrap });
  heir.dispatcher.recover();
  expect((await heir.ended(runId)).failure?.reason).toBe("interrupted");
  expect(commits).toEqual(["full"]);
});
