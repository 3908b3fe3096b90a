import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { badFiles, PNG } from "../support/bad-files.ts";
import { conversation } from "../support/chat-request.ts";
import { configurationOf, crushPlace, FAMILIES } from "../support/crush.ts";
import type { CrushPlace, WireFamily } from "../support/crush.ts";
import { errorLines } from "../support/ended-run.ts";
import { failed, seen, succeeded, titled } from "../support/ending-case.ts";
import { startFakeProvider, type FakeProvider } from "../support/fake-provider.ts";

const JPEG = Buffer.from("ffd8ffe000104a464946", "hex");
const GIF = Buffer.from("GIF89a rest", "latin1");
const WEBP = Buffer.from("RIFF\u0004\u0000\u0000\u0000WEBPVP8 ", "latin1");
const PDF = Buffer.from("%PDF-1.7\n%\u00e2\u00e3", "latin1");

/** A place whose model reads files, or not. */
const placeFor = (
  provider: FakeProvider,
  { family, readsFiles = true }: { family?: WireFamily; readsFiles?: boolean } = {},
): CrushPlace => {
  const configuration = configurationOf({ url: provider.url, family: family ?? "chat" });
  const model = { id: "model", context_window: 100_000, supports_attachments: readsFiles };
  const fake = { ...configuration.providers?.fake, models: [model] };
  return crushPlace({ configuration: { ...configuration, providers: { fake } } });
};

const FILES = {
  "a.png": PNG,
  "b.JPG": JPEG,
  "c.gif": GIF,
  d: WEBP,
  "e.pdf": PDF,
  "misnamed.jpg": PNG,
};

test.each(FAMILIES)("images, documents and texts reach a model by %s", async (family) => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = placeFor(provider, { family });
  for (const [name, content] of Object.entries(FILES)) place.write(name, content);
  place.write("notes/bug.log", "it broke: <é>");
  const files = [...Object.keys(FILES), "notes/bug.log"].flatMap((name) => ["--file", name]);
  expect(seen(await place.run(["run", ...files, "look"]))).toEqual(succeeded("ok\n"));
  const body = JSON.stringify(provider.requests[0]?.body);
  for (const content of Object.values(FILES)) expect(body).toContain(content.toString("base64"));
  for (const type of ["png", "jpeg", "gif", "webp"]) expect(body).toContain(`image/${type}`);
  expect(body).toContain("application/pdf");
  const shown = '<file path="notes/bug.log">\nit broke: <é>\n</file>';
  expect(body).toContain(JSON.stringify(shown).slice(1, -1));
  expect(body).toContain('"look"');
});

test("a text alone is a prompt, by any notation of the flag", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = placeFor(provider, { readsFiles: false });
  place.write("bug.log", "it broke");
  for (const args of [["-f", "bug.log"], ["-fbug.log"], ["--file=bug.log", " "]])
    expect(seen(await place.run(["run", ...args]))).toEqual(succeeded("ok\n"));
  for (const request of provider.requests)
    expect(conversation(request)).toEqual(['user: <file path="bug.log">\nit broke\n</file>']);
});

test("a file outside the working directory is named in full", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  const path = place.write("bug.log", "it broke");
  mkdirSync(join(place.work, "sub"));
  await place.run(["run", "--cwd", "sub", "-f", "bug.log", "why?"]);
  expect(conversation(provider.requests[0])).toEqual([
    `user: why?<file path="${path}">\nit broke\n</file>`,
  ]);
});

test("a file takes exactly one value: the prompt is left alone", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  place.write("one", "1");
  place.write("two", "2");
  await place.run(["run", "-f", "one", "two", "-f", "two", "words"]);
  expect(conversation(provider.requests[0])).toEqual([
    'user: two words<file path="one">\n1\n</file><file path="two">\n2\n</file>',
  ]);
});

test.each(
  titled<readonly [files: readonly string[], says: string]>({
    "that is not there": [["gone"], "gone, which is not there"],
    "that is a directory": [["folder"], "folder, which is a directory"],
    "that is empty": [["empty"], "empty, which is empty"],
    "that is a pipe": [["fifo"], "fifo, which is a pipe"],
    "that is a device": [["/dev/null"], "/dev/null, which is no ordinary file"],
    "of a kind no model reads": [["a.zip"], "a.zip, which is of no kind that can be attached"],
    "in another encoding": [["latin1"], "latin1, which is of no kind"],
    "in UTF-16": [["utf16"], "utf16, which is of no kind"],
    "that is not what its name says": [["fake.png"], "fake.png, whose content is not what"],
    "that is too large": [["big.png"], "big.png, which is larger than 10 MiB"],
    "that is too long a text": [["long.txt"], "long.txt, a text longer than 1 MiB"],
    "that is one too many": [["one.png", "two.png", "three.png"], "more than 20 MiB in all, with"],
    "without a name": [[""], "is empty"],
    "that is meant to be standard input": [["-"], "takes a file, and - is none"],
  }),
)("a file %s is refused, and nothing is sent", async (_, [files, says]) => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = placeFor(provider);
  badFiles(place);
  const named = files.flatMap((file) => ["--file", file]);
  const ended = await place.run(["run", ...named, "hi"]);
  expect(seen(ended)).toEqual(failed("usage", { says }));
  expect(errorLines(ended)[0]).toContain("--file");
  expect(provider.requests).toEqual([]);
});

test("an image is refused for a model that reads none, with flag, file and model", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = placeFor(provider, { readsFiles: false });
  place.write("notes.txt", "text");
  place.write("a.pdf", PDF);
  const ended = await place.run(["run", "-f", "notes.txt", "-f", "a.pdf", "hi"]);
  expect(seen(ended)).toEqual(
    failed("usage", {
      says: "--file names a.pdf (application/pdf), and fake/model reads no images or PDFs",
    }),
  );
  expect(provider.requests).toEqual([]);
});

test("what an earlier prompt attached refuses nothing", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = placeFor(provider);
  place.write("a.png", PNG);
  await place.run(["run", "-f", "a.png", "hi"]);
  const blind = { ...configurationOf({ url: provider.url }) };
  place.write("blind.json", JSON.stringify(blind));
  const ended = await place.run(["run", "--isolated", "--config", "blind.json", "-C", "and?"]);
  expect(seen(ended)).toEqual(succeeded("ok\n"));
  expect(JSON.stringify(provider.requests[1]?.body)).not.toContain(PNG.toString("base64"));
});

test("an image alone is no prompt", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = placeFor(provider);
  place.write("a.png", PNG);
  const ended = await place.run(["run", "-f", "a.png"]);
  expect(seen(ended)).toEqual(failed("no_prompt", { says: "an image or PDF alone asks nothing" }));
  expect(provider.requests).toEqual([]);
});
