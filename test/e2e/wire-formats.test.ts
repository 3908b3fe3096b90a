import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { crushPlace, FAKE_KEY, FAMILIES, type WireFamily } from "../support/crush.ts";
import { seen, succeeded } from "../support/ending-case.ts";
import { startFakeProvider, type FakeRequest } from "../support/fake-provider.ts";
import {
  asAnswer,
  asCalling,
  asUser,
  CALLING,
  conversationOf,
  FILE,
} from "../support/replayed-history.ts";

const ENDPOINT: Readonly<Record<WireFamily, { readonly path: string; readonly key: string }>> = {
  chat: { path: "/v1/chat/completions", key: "authorization" },
  responses: { path: "/v1/responses", key: "authorization" },
  anthropic: { path: "/v1/messages", key: "x-api-key" },
  gemini: { path: "/v1beta/models/model:streamGenerateContent?alt=sse", key: "x-goog-api-key" },
};

/** One to four bytes each, a character of several code points, a byte order mark, controls, no newline at the end. */
const EVERY_WIDTH = "a é 漢字 👋🏽 e\u0301 \uFEFF\u200D \u0001\t\r\n\u{10FFFF}";

describe.each(FAMILIES)("%s", (family) => {
  test("the answer is all that is printed, and one newline", async () => {
    await using provider = await startFakeProvider({ text: "**One** word", chunks: 5 });
    await using place = crushPlace({ provider: { url: provider.url, family } });
    expect(seen(await place.run(["run", "Say", "it."]))).toEqual(succeeded("**One** word\n"));
    expect(provider.requests).toHaveLength(1);
    const { method, path, headers, body } = provider.requests[0] as FakeRequest;
    expect([method, path]).toEqual(["POST", ENDPOINT[family].path]);
    expect(headers[ENDPOINT[family].key]).toMatch(new RegExp(`^(Bearer )?${FAKE_KEY}$`));
    expect(conversationOf(family, body)).toEqual([asUser(family, "Say it.")]);
    expect(JSON.stringify(body)).toContain(`Working directory: ${place.work}`);
    expect(JSON.stringify(body)).toMatch(/"name":"bash"/);
    // Gemini says both in the path.
    expect(body).toMatchObject(family === "gemini" ? {} : { model: "model", stream: true });
  });

  test("an answer that ends in newlines is printed as it is", async () => {
    await using provider = await startFakeProvider({ text: "\n  one\n\n" });
    await using place = crushPlace({ provider: { url: provider.url, family } });
    expect(seen(await place.run(["run", "hi"]))).toEqual(succeeded("\n  one\n\n"));
  });

  test("reasoning never reaches stdout, as it comes or at the end", async () => {
    await using provider = await startFakeProvider({ reasoning: "Hmm, think.", text: "Four." });
    await using place = crushPlace({ provider: { url: provider.url, family } });
    for (const flag of ["--stream", "--no-stream"])
      expect(seen(await place.run(["run", flag, "2+2?"]))).toEqual(succeeded("Four.\n"));
  });

  test("parallel tool calls run for real, and the next request carries their results", async () => {
    await using provider = await startFakeProvider([CALLING, { text: "Done." }]);
    await using place = crushPlace({ provider: { url: provider.url, family } });
    place.write(FILE.name, FILE.content);
    expect(seen(await place.run(["run", "go"]))).toEqual(succeeded("Done.\n"));
    expect(readFileSync(join(place.work, "made/b.txt"), "utf8")).toBe("bêta\n");
    expect(provider.requests).toHaveLength(2);
    const replayed = conversationOf(family, provider.requests[1]?.body);
    expect(replayed).toEqual([asUser(family, "go"), ...asCalling(family, "this turn")]);
  });

  test("a continued session replays its history, reasoning and signatures included", async () => {
    await using provider = await startFakeProvider([
      CALLING,
      { reasoning: "So that is it.", text: "Done." },
      { text: "Still so." },
    ]);
    await using place = crushPlace({ provider: { url: provider.url, family } });
    place.write(FILE.name, FILE.content);
    await place.run(["run", "go"]);
    expect(seen(await place.run(["run", "--continue", "And?"]))).toEqual(succeeded("Still so.\n"));
    expect(conversationOf(family, provider.requests[2]?.body)).toEqual([
      asUser(family, "go"),
      ...asCalling(family, "an earlier turn"),
      ...asAnswer(family, "So that is it.", "Done."),
      asUser(family, "And?"),
    ]);
  });

  test("of several steps a pipe gets the last text, and --stream all of them, a blank line between", async () => {
    const look = { name: "ls", input: {} };
    const script = [
      { text: "First.", toolCalls: [{ id: "call_1", ...look }] },
      { toolCalls: [{ id: "call_2", ...look, input: { path: "." } }] },
      { text: "Second.\n", toolCalls: [{ id: "call_3", ...look }] },
      { text: "Third." },
    ];
    await using provider = await startFakeProvider(({ index }) => script[index % 4] ?? {});
    await using place = crushPlace({ provider: { url: provider.url, family } });
    expect(seen(await place.run(["run", "go"]))).toEqual(succeeded("Third.\n"));
    expect(provider.requests).toHaveLength(4);
    expect(seen(await place.run(["run", "--stream", "go"]))).toEqual(
      succeeded("First.\n\nSecond.\n\nThird.\n"),
    );
  });

  test.each([
    ["in packets of 3 bytes", { splitBytes: 3 }],
    [
      "in packets of 7 bytes with CRLF and comment lines",
      { splitBytes: 7, crlf: true, comments: true },
    ],
  ])("characters of every width arrive byte for byte %s", async (_, form) => {
    await using provider = await startFakeProvider({ text: EVERY_WIDTH, chunks: 9, ...form });
    await using place = crushPlace({ provider: { url: provider.url, family } });
    for (const flag of ["--stream", "--no-stream"])
      expect(seen(await place.run(["run", flag, "hi"]))).toEqual(succeeded(`${EVERY_WIDTH}\n`));
  });
});

test("gemini: each result carries the id of its call", async () => {
  await using provider = await startFakeProvider([CALLING, { text: "Done." }]);
  await using place = crushPlace({ provider: { url: provider.url, family: "gemini" } });
  await place.run(["run", "go"]);
  const replayed = conversationOf("gemini", provider.requests[1]?.body);
  const called = idsOf(replayed, "functionCall");
  expect(new Set(called).size).toBe(3);
  expect(idsOf(replayed, "functionResponse")).toEqual(called);
});

/** The ids of the calls, or of the answers to them, in the contents of a Gemini request. */
function idsOf(
  contents: readonly unknown[],
  field: "functionCall" | "functionResponse",
): unknown[] {
  return contents
    .flatMap((content) => (content as { parts: Record<string, { id?: unknown }>[] }).parts)
    .flatMap((part) => (part[field] === undefined ? [] : [part[field].id]));
}
