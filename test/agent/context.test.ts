import * as fc from "fast-check";
import { expect, test } from "vitest";
import { asRead, fromSummary, reserveOf, tokensIn } from "../../src/agent/context.ts";
import type { MessageId, SessionId } from "../../src/protocol/ids.ts";
import { textOf, type Message, type Part, type Role } from "../../src/protocol/message.ts";

const message = (id: string, role: Role, more: Partial<Message> = {}): Message => ({
  id: id as MessageId,
  sessionId: "s" as SessionId,
  role,
  parts: [{ type: "text", text: id }],
  model: "",
  provider: "",
  createdAt: 0,
  updatedAt: 0,
  ...more,
});
const summary = (id: string): Message => message(id, "assistant", { isSummary: true });
const ids = (messages: readonly Message[]): string => messages.map(({ id }) => id).join(" ");

const asked = message("u1", "user");
const answer = message("a1", "assistant");

test("without a summary the whole conversation counts, and with one what comes from it on", () => {
  const later = [message("u2", "user"), message("a2", "assistant")];
  expect(ids(fromSummary([asked, answer, ...later], null))).toBe("u1 a1 u2 a2");
  expect(ids(fromSummary([asked, answer, summary("s"), ...later], "s" as MessageId))).toBe(
    "s u2 a2",
  );
});

test("what was asked and not answered when the summary was made stands behind it", () => {
  const due = [message("u2", "user"), message("u3", "user")];
  const stored = [asked, answer, ...due, summary("s"), message("a2", "assistant")];
  expect(ids(fromSummary(stored, "s" as MessageId))).toBe("s u2 u3 a2");
});

test("a summary that failed, or that a later one replaced, never counts", () => {
  const stored = [asked, summary("old"), answer, summary("s"), message("u2", "user"), summary("x")];
  expect(ids(fromSummary(stored, "s" as MessageId))).toBe("s u2");
  expect(ids(fromSummary([asked, answer, summary("x")], null))).toBe("u1 a1");
});

test("a summary is told to the model, not said by it", () => {
  const [told] = asRead([summary("s")], true);
  expect(told?.role).toBe("user");
  expect(textOf(told ?? { parts: [] })).toMatch(/\n\ns$/);
});

test("nothing is invented, doubled or put in another order but the unanswered behind the summary", () => {
  const any = fc.array(fc.constantFrom<"u" | "a" | "t" | "s">("u", "a", "t", "s"), {
    maxLength: 12,
  });
  const roles = { u: "user", a: "assistant", t: "tool", s: "assistant" } as const;
  fc.assert(
    fc.property(any, fc.nat(), (kinds, pick) => {
      const stored = kinds.map((kind, n) =>
        message(`${n}`, roles[kind], kind === "s" ? { isSummary: true } : {}),
      );
      const summaries = stored.filter(({ isSummary }) => isSummary);
      const chosen = summaries[pick % Math.max(1, summaries.length)] ?? null;
      const kept = fromSummary(stored, chosen?.id ?? null);
      const order = kept.filter((one) => one !== chosen).map((one) => stored.indexOf(one));
      expect(order).toEqual([...new Set(order)].toSorted((a, b) => a - b));
      expect(kept.filter(({ isSummary }) => isSummary)).toEqual(chosen === null ? [] : [chosen]);
      // Every message after the summary, and every question before it that has no answer, is there.
      const from = chosen === null ? 0 : stored.indexOf(chosen) + 1;
      const plain = stored.slice(from).filter(({ isSummary }) => isSummary !== true);
      expect(kept).toEqual(expect.arrayContaining(plain));
    }),
  );
});

test.each([
  [1_000_000, 20_000],
  [200_001, 20_000],
  [200_000, 40_000],
  [8_000, 1_600],
])("of a window of %d tokens, %d are kept free", (window, left) => {
  expect(reserveOf(window)).toBe(left);
});

test("tokens are a quarter of the characters; a file is as large as a picture", () => {
  const parts: Part[] = [
    { type: "text", text: "x".repeat(40) },
    { type: "reasoning", thinking: "x".repeat(4) },
    { type: "tool_call", id: "c", name: "view", input: "{}..", finished: true },
    {
      type: "tool_result",
      toolCallId: "c",
      name: "view",
      content: "x".repeat(20),
      isError: false,
      metadata: "",
    },
    { type: "binary", path: "a.txt", mimeType: "text/plain", data: "x".repeat(16) },
    { type: "finish", reason: "stop", time: 0 },
  ];
  expect(tokensIn([message("m", "user", { parts })])).toBe(10 + 1 + 2 + 5 + 3);
  const picture: Part = { type: "binary", path: "a", mimeType: "image/png", data: "x".repeat(1e6) };
  expect(tokensIn([message("m", "user", { parts: [picture] })])).toBe(1_500);
});
