import { expect, test } from "vitest";
import { builtinTools } from "../../src/tools/registry.ts";
import { toolContext } from "../support/tool-context.ts";

const all = builtinTools({ disabled: new Set() });

test("the tools stand in a fixed order, without those that are disabled", () => {
  const names = (disabled: readonly string[]): string[] =>
    builtinTools({ disabled: new Set(disabled) }).map((tool) => tool.name);
  expect(names([])).toEqual(["view", "ls", "glob", "grep", "edit", "write", "bash", "fetch"]);
  expect(names(["bash", "fetch", "unknown"])).toEqual([
    "view",
    "ls",
    "glob",
    "grep",
    "edit",
    "write",
  ]);
});

test("the tools that change nothing say so, and no other does", () => {
  const reading = all.filter((tool) => tool.readsOnly === true).map((tool) => tool.name);
  expect(reading).toEqual(["view", "ls", "glob", "grep", "fetch"]);
});

test.each(all)(
  "$name has a schema that every provider takes, and names a bad field",
  async (tool) => {
    expect(tool.inputSchema).toMatchObject({ type: "object", additionalProperties: false });
    expect(tool.description.length).toBeGreaterThan(40);
    expect(tool.description.length).toBeLessThan(600);
    const result = await tool.run({ strange: 1 }, toolContext("/"));
    expect(result).toMatchObject({ isError: true, truncated: false });
    expect(result.content).toMatch(new RegExp(`^${tool.name}: unknown field \`strange\``));
  },
);

test.each(all)("$name starts nothing once the run is aborted", async (tool) => {
  const reason = new Error("stop");
  const context = toolContext("/", { signal: AbortSignal.abort(reason) });
  await expect(tool.run({}, context)).rejects.toBe(reason);
});
