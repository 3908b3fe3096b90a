import { join } from "node:path";
import { expect, test } from "vitest";
import { badFiles } from "../support/bad-files.ts";
import { conversation } from "../support/chat-request.ts";
import { crushPlace } from "../support/crush.ts";
import { errorLines } from "../support/ended-run.ts";
import { failed, seen, succeeded, titled } from "../support/ending-case.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import { shell } from "../support/shell.ts";

test.each([
  ["alone", "crush run --prompt-file p", "from the file\n"],
  ["before the words", "crush run --prompt-file p then words", "from the file\n\n\nthen words"],
  [
    "after standard input",
    "printf piped | crush run --prompt-file p words",
    "piped\n\nfrom the file\n\n\nwords",
  ],
  ["that begins with a byte order mark", "crush run --prompt-file bom", "marked"],
  ["a process writes", "crush run --prompt-file <(sleep 0.3; echo written) hi", "written\n\n\nhi"],
  [
    "somebody writes to it later",
    "mkfifo f; (sleep 0.4; echo late >f) & crush run --prompt-file f hi",
    "late\n\n\nhi",
  ],
  [
    "from where the command was started",
    "mkdir d; crush run -c d --prompt-file p",
    "from the file\n",
  ],
])("a prompt file %s makes the prompt it should", async (_, script, prompt) => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  place.write("p", "from the file\n");
  place.write("bom", "\uFEFFmarked");
  expect(await shell(place, script)).toMatchObject({
    status: 0,
    stdout: "ok\n",
    stderr: "",
  });
  expect(conversation(provider.requests[0])).toEqual([`user: ${prompt}`]);
});

test("a prompt file of 12 MB arrives whole", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  const text = "né 漢字 😀\n".repeat(600_000).trimEnd();
  place.write("p", text);
  expect(seen(await place.run(["run", "--prompt-file", "p"]))).toEqual(succeeded("ok\n"));
  expect(conversation(provider.requests[0])).toEqual([`user: ${text}`]);
});

test.each(
  titled<readonly [file: string, says: string]>({
    "that is not there": ["gone", "gone, which is not there"],
    "that is a directory": ["folder", "folder, which is a directory"],
    "that is binary": ["a.png", "a.png, which is no text"],
    "in another encoding": ["latin1", "latin1, which is no UTF-8 text"],
    "with nothing but white space": ["blank", "blank, which is empty"],
    "that is too long": ["large", "large, which is longer than 64 MiB"],
    "that is a device": ["/dev/zero", "/dev/zero, which is no ordinary file"],
    "that is a pipe nobody writes to": ["fifo", "fifo, a pipe, and nothing came for 0.2 s"],
    "without a name": ["", "is empty"],
    "that is meant to be standard input": ["-", "takes a file, and - is none"],
  }),
)("a prompt file %s is refused, and nothing is sent", async (_, [file, says]) => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  badFiles(place);
  const ended = await place.run(["run", "--stdin-wait", "200ms", "--prompt-file", file, "hi"]);
  expect(seen(ended)).toEqual(failed("usage", { says }));
  expect(errorLines(ended)[0]).toContain("--prompt-file");
  expect(provider.requests).toEqual([]);
});

test("a prompt file that takes its time is told of", async () => {
  await using place = crushPlace();
  badFiles(place);
  const ended = await place.run(["run", "--stdin-wait", "3.2s", "--prompt-file", "fifo"]);
  expect(seen(ended)).toEqual(
    failed("usage", { before: [`reading the prompt from ${join(place.work, "fifo")}`] }),
  );
});

test("a mistake in another flag comes first", async () => {
  await using place = crushPlace();
  badFiles(place);
  const ended = await place.run(["run", "--prompt-file", "fifo", "--timeout", "soon", "hi"]);
  expect(seen(ended)).toEqual(failed("usage", { says: '--timeout is "soon"' }));
});
