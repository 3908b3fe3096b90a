import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { configurationOf, crushPlace, type CrushPlace } from "../support/crush.ts";
import { runIdOf } from "../support/ended-run.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import { titled } from "../support/ending-case.ts";

// Whoever looks at runs needs to know where they are, and nothing else.

describe.concurrent("runs are shown, waited for and cancelled although the configuration", () => {
  test.each(
    titled<(place: CrushPlace) => void>({
      "of the user is no JSON": ({ configFile }) => writeFileSync(configFile, "{ broken"),
      "of the project is no JSON": (place) => place.write("crush.json", "{ broken"),
      "has a value of a wrong type": ({ configFile }) =>
        writeFileSync(configFile, '{"providers": 5}'),
      "of the project needs trust": (place) =>
        place.write("crush.json", '{"mcp": {"x": {"type": "stdio", "command": "true"}}}'),
      "of the user is no text": ({ configFile }) =>
        writeFileSync(configFile, Buffer.from([0xff, 0xfe])),
    }),
  )("%s", async (_, spoil) => {
    await using provider = await startFakeProvider({ text: "An answer." });
    await using place = crushPlace({ provider });
    const runId = runIdOf((await place.run(["run", "-v", "hi"])).stderr);
    spoil(place);
    expect((await place.run(["run", "hi"])).status).toBe(2);
    const told = await Promise.all(
      [["runs"], ["show", runId], ["wait", runId], ["attach", runId], ["cancel", runId]].map(
        async (args) => await place.run(args),
      ),
    );
    expect(told.map(({ status }) => status)).toEqual([0, 0, 0, 0, 0]);
    const [runs, show, wait, attach, cancel] = told.map(({ stdout }) => stdout.toString());
    expect(runs).toContain(runId);
    expect(show).toContain("its answer:\nAn answer.\n");
    expect([wait, attach, cancel]).toEqual(["", "An answer.\n", `${runId} completed (end_turn)\n`]);
    for (const { stderr } of told) expect(stderr.toString()).not.toContain("error:");
  });
});

test("a file that cannot be read, and may have named another data directory, is a warning", async () => {
  await using provider = await startFakeProvider({ text: "An answer." });
  await using place = crushPlace({
    configuration: { ...configurationOf(provider), options: { data_directory: "elsewhere" } },
  });
  const runId = runIdOf((await place.run(["run", "-v", "hi"])).stderr);
  expect((await place.run(["show", runId])).status).toBe(0);
  writeFileSync(place.configFile, '{ "options": { "data_directory": "elsewhere", ');
  const lost = await place.run(["show", runId]);
  expect(lost.status).toBe(2);
  expect(lost.stderr.toString()).toMatch(
    /^warning: .*crush\.json is passed over: .*\nerror: there is no run/,
  );
  const found = await place.run(["show", "--data-dir", "elsewhere", runId]);
  expect([found.status, found.stderr.toString()]).toEqual([0, ""]);
});

test("where there is a data directory that the project may not name, it is refused", async () => {
  await using place = crushPlace();
  place.write("crush.json", '{"options": {"data_directory": "/somewhere/else"}}');
  const refused = await place.run(["runs"]);
  expect([refused.status, refused.stderr.toString()]).toEqual([
    2,
    expect.stringContaining("data_directory") as string,
  ]);
});
