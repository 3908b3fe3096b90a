import { expect, test } from "vitest";
import type { Attachment } from "../../src/protocol/attachment.ts";
import { RunFailed } from "../../src/protocol/ending.ts";
import { newRunId, type SessionId } from "../../src/protocol/ids.ts";
import { checkPrompt } from "../../src/session/check-prompt.ts";
import { dispatchHouse } from "../support/dispatch-house.ts";

const session = "s" as SessionId;
const none = "" as SessionId;
const file = (mimeType: string): Attachment => ({
  path: "/a",
  name: "a",
  mimeType,
  content: "aGk=",
});
const text = [file("text/plain")];
const image = [file("image/png")];

const CASES = [
  ["an empty text", "", [], session, "no_prompt"],
  ["an empty text with an image", "", image, session, "no_prompt"],
  ["an empty text with an attached one", "", text, session, null],
  ["an empty text with an image and an attached text", "", [...image, ...text], session, null],
  ["white space", " \n", [], session, null],
  ["a text without a session", "x", [], none, "usage"],
  ["neither text nor session", "", [], none, "no_prompt"],
] as const;

const reasonOf = (work: () => unknown): string | null => {
  try {
    work();
    return null;
  } catch (error) {
    if (error instanceof RunFailed) return `${error.failure.reason}: ${error.failure.message}`;
    throw error;
  }
};

test.each(CASES)("ACC-15: %s", (_what, prompt, attachments, sessionId, reason) => {
  const said = reasonOf(() => checkPrompt({ kind: "prompt", prompt, attachments, sessionId }));
  expect(said?.split(":")[0] ?? null).toBe(reason);
});

test("a summary asks nothing, and needs its session all the same", () => {
  const summary = { kind: "summary", prompt: "", attachments: [] } as const;
  expect(reasonOf(() => checkPrompt({ ...summary, sessionId: session }))).toBeNull();
  expect(reasonOf(() => checkPrompt({ ...summary, sessionId: none }))).toContain("usage");
});

test.each(CASES.filter(([, , , , reason]) => reason !== null))(
  "ACC-17: %s is refused at the acceptance by the validator's own words, and leaves nothing",
  async (_what, prompt, attachments, sessionId) => {
    await using house = dispatchHouse();
    const { dispatcher, store } = house.move();
    const request = { ...REST, prompt, attachments, sessionId };
    const words = reasonOf(() => checkPrompt(request));
    expect(reasonOf(() => dispatcher.accept(request))).toBe(words);
    expect(store.runs.recent(9)).toEqual([]);
    expect(dispatcher.inFlight()).toBe(0);
  },
);

test("ACC-17: one that slips past the acceptance is refused by its run, in the same words", async () => {
  await using house = dispatchHouse();
  const owner = house.move();
  let asked = 0;
  const slipping = {
    ...REST,
    sessionId: owner.session(),
    attachments: image,
    get prompt(): string {
      return (asked += 1) === 1 ? "x" : ""; // whatever is stored is not what was checked
    },
  };
  owner.dispatcher.accept(slipping);
  const { failure } = await owner.ended(slipping.runId);
  const words = reasonOf(() => checkPrompt({ ...slipping, prompt: "" }));
  expect(`${failure?.reason}: ${failure?.message}`).toBe(words);
  expect(owner.calls).toEqual([]);
});

const REST = {
  kind: "prompt" as const,
  runId: newRunId(),
  clientId: null,
  options: {},
  bodyHash: "",
};
