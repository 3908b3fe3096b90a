import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { crushPlace, FAKE_KEY } from "../support/crush.ts";
import { errorLines } from "../support/ended-run.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import { said, started } from "../support/session-cli.ts";

test("a session is exported as Markdown to standard output, and as HTML to a file in one step", async () => {
  await using provider = await startFakeProvider([
    {
      toolCalls: [{ id: "a", name: "bash", input: { command: "echo hello" } }],
      usage: { input: 1234, output: 7 },
    },
    { text: "It says **hello**." },
  ]);
  await using place = crushPlace({ provider });
  const { id } = await started(place, "Say hello");
  const markdown = await place.run(["session", "export", id]);
  expect([markdown.status, markdown.stderr.toString()]).toEqual([0, ""]);
  expect(markdown.stdout.toString()).toMatch(/^# Say hello\n/);
  expect(markdown.stdout.toString()).toContain("**Tool** `bash`");
  expect(markdown.stdout.toString()).toMatch(/\nIt says \*\*hello\*\*\.\n$/);

  const file = place.write("session.html", "an old one");
  expect(said(await place.run(["s", "export", id.slice(0, 7), "-o", "session.html"]))).toEqual([
    0,
    "",
  ]);
  const html = readFileSync(file, "utf8");
  expect(html).toMatch(/^<!doctype html>\n/);
  expect(html).toContain("<td>1,234</td><td>7</td><td>bash ");
  expect(html).toMatch(/<\/html>\n$/);
  expect(readdirSync(place.work).toSorted()).toEqual([".crush", "session.html"]);
  const printed = await place.run(["session", "export", id, "--format=html"]);
  expect(printed.stdout.toString()).toBe(html);
});

test("an export holds no key of configuration or environment, whoever said it", async () => {
  const token = "ghp_ABCDEF0123456789";
  const leak = `keys: ${FAKE_KEY} ${token}`;
  await using provider = await startFakeProvider([
    { toolCalls: [{ id: "a", name: "bash", input: { command: `echo '${leak}'` } }] },
    { text: leak },
  ]);
  await using place = crushPlace({ provider });
  const env = { SOME_TOKEN: token };
  expect((await place.run(["run", leak], { env })).status).toBe(0);
  const [entry] = JSON.parse(
    (await place.run(["session", "list", "--json"])).stdout.toString(),
  ) as { uuid: string }[];
  for (const format of ["markdown", "html"]) {
    const args = ["session", "export", entry?.uuid ?? "", "--format", format];
    const { stdout } = await place.run(args, { env });
    expect(stdout.toString()).toContain("keys: *** ***");
    for (const secret of [FAKE_KEY, token])
      expect(stdout.toString()).not.toContain(secret.slice(0, 12));
  }
});

test.each([
  [["--format", "pdf"], '--format is "pdf"', "markdown or html"],
  [["-o", ""], "--output-file is empty", "name a file"],
  [["-o", "none/x.html"], "cannot be written", "a directory that exists"],
  [["--json"], "unknown flag --json", "see:"],
  [["more"], '"more" is one too many', "leave it out"],
])("crush session export ID %j is refused with a remedy", async (args, what, remedy) => {
  await using provider = await startFakeProvider({ text: "yes" });
  await using place = crushPlace({ provider });
  const { id } = await started(place, "Begin");
  const ended = await place.run(["session", "export", id, ...args]);
  expect(said(ended)).toEqual([2, ""]);
  const [line = ""] = errorLines(ended);
  expect(line.slice(0, line.indexOf(";"))).toContain(what);
  expect(line.slice(line.indexOf(";"))).toContain(remedy);
});

test("a session that is not there leaves the file as it was", async () => {
  await using place = crushPlace();
  const file = place.write("old.html", "old");
  const ended = await place.run(["session", "export", "703e28f", "-o", "old.html"]);
  expect(said(ended)).toEqual([2, ""]);
  expect(errorLines(ended)[0]).toContain("(unknown_session)");
  expect(readFileSync(file, "utf8")).toBe("old");
  expect(existsSync(join(place.work, ".crush"))).toBe(false);
});
