import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RunFailed } from "../../src/protocol/ending.ts";
import type { SessionId } from "../../src/protocol/ids.ts";
import { matchSession } from "../../src/protocol/match-session.ts";
import { sessionHash } from "../../src/protocol/session-hash.ts";

const hash = await sessionHash();
const ids = (count: number): SessionId[] =>
  Array.from({ length: count }, (_, n) => `session-${n}` as SessionId);

function refusal(typed: string, among: readonly SessionId[]): RunFailed["failure"] {
  try {
    matchSession(typed, among, hash);
  } catch (error) {
    if (error instanceof RunFailed) return error.failure;
  }
  throw new Error("it was found");
}

function outcome(typed: string, among: readonly SessionId[]): string {
  try {
    return matchSession(typed, among, hash);
  } catch {
    return refusal(typed, among).message;
  }
}

test.each([
  ["", "2d06800538d394c2"],
  ["a", "e6c632b61e964e1f"],
  ["00000000-0000-4000-8000-000000000001", "703e28f876f666f2"],
])("the short name of %j is %s", (id, name) => {
  expect(hash(id)).toBe(name);
});

test("a short name has 16 hexadecimal digits, whatever the id, and is the same each time", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (id) => {
      expect(hash(id)).toMatch(/^[0-9a-f]{16}$/);
      expect(hash(id)).toBe(hash(id));
    }),
  );
});

test("a beginning finds a session exactly when no other begins like it", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.nat(),
      fc.integer({ min: 1, max: 16 }),
      (count, at, digits) => {
        const all = ids(count);
        const id = all[at % count] ?? ("" as SessionId);
        const typed = hash(id).slice(0, digits);
        const others = all.filter((one) => one !== id && hash(one).startsWith(typed));
        const told = `${typed} begins the ids of ${others.length + 1} sessions`;
        expect(outcome(typed, all)).toContain(others.length === 0 ? id : told);
      },
    ),
  );
});

test("what begins several ids is refused with their longer names", () => {
  const all = ids(40);
  const digit = "0123456789abcdef"
    .split("")
    .find((one) => all.filter((id) => hash(id).startsWith(one)).length > 1);
  const { reason, message, remedy } = refusal(digit ?? "", all);
  expect({ reason, remedy }).toEqual({ reason: "unknown_session", remedy: "say more of the id" });
  expect(message).toMatch(/^. begins the ids of \d+ sessions: [0-9a-f]{12}, [0-9a-f]{12}/);
});

test("what begins none is refused: letters in capitals, the empty text, a part of the middle", () => {
  const [id = "" as SessionId] = ids(1);
  for (const typed of ["", "ABCDEF", hash(id).slice(1, 9), `${hash(id)}0`, id.slice(0, 3)])
    expect(refusal(typed, [id])).toMatchObject({
      reason: "unknown_session",
      message: `there is no session ${typed}`,
    });
});
