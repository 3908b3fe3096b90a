import { expect, test } from "vitest";
import { retireesOf } from "../../src/server/retirees.ts";

test("of the clients that have left for good the last are remembered, and who leaves again is one of them", () => {
  const retirees = retireesOf(2);
  for (const id of ["a", "b", "a", "c"]) retirees.add(id);
  expect(["a", "b", "c"].map(retirees.has)).toEqual([true, false, true]);
});
