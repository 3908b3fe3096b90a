import { expect, test } from "vitest";
import { projectFolder } from "../support/project-folder.ts";

test("rules of several files are joined, and Crush's own allow as they did there", async () => {
  using folder = projectFolder();
  folder.write("crush.json", {
    permissions: { allowed_tools: ["view", "bash:execute", "download"], deny: ["bash(rm *)"] },
  });
  folder.write(".crush.json", { permissions: { allow: ["fetch(docs.*)"], deny: ["write"] } });
  const { rules } = await folder.load({ trustConfig: true });
  const texts = rules.allow.map(({ text, exact }) => [text, exact]);
  expect(texts).toEqual([
    ["view", true],
    ["bash:execute", true],
    ["fetch(docs.*)", false],
  ]);
  expect(rules.deny.map(({ text }) => text)).toEqual(["bash(rm *)", "write"]);
  expect(rules.narrow).toEqual([]);
});

test("rules of a project that is not trusted narrow and forbid, and allow nothing", async () => {
  using folder = projectFolder();
  folder.write("crush.json", {
    permissions: {
      allowed_tools: ["bash", "mcp_docs_find"],
      allow: ["bash(git *)", "fetch", "write(src/**)"],
      deny: ["view(.env)"],
    },
  });
  const { rules } = await folder.load();
  expect(rules.allow).toEqual([]);
  expect(rules.narrow.map(({ text }) => text)).toEqual(["bash(git *)", "write(src/**)"]);
  expect(rules.deny.map(({ text }) => text)).toEqual(["view(.env)"]);
});

test.each([
  [{ allow: ["view(/etc/hosts)"] }, "permissions.allow[0]"],
  [{ allow: ["bash", "write"] }, "permissions.allow[1]"],
  [{ allow: ["view(~/notes/**)"] }, "permissions.allow[0]"],
  [{ allow: ["view(src/../../x)"] }, "permissions.allow[0]"],
  [{ allow: ["*"] }, "permissions.allow[0]"],
])("%j of a project widens what a run may do, and needs trust", async (permissions, field) => {
  using folder = projectFolder();
  folder.write("crush.json", { permissions });
  const { reason, message } = await folder.failure();
  expect(reason).toBe("invalid_config");
  expect(message).toMatch(/^ROOT\/crush\.json:1:\d+: /);
  expect(message).toContain(`${field} lets file tools reach outside of the working directory`);
  await folder.load({ trustConfig: true });
});

test("what Crush's list of a project would let out stays inside, with a warning, until the project is trusted", async () => {
  using folder = projectFolder();
  folder.write("crush.json", { permissions: { allowed_tools: ["bash", "view"] } });
  const { rules, warnings } = await folder.load();
  expect(rules.allow).toEqual([]);
  expect(warnings.map((line) => folder.plain(line))).toEqual([
    expect.stringMatching(
      /^ROOT\/crush\.json:1:\d+: permissions\.allowed_tools\[1\]: view stays inside .*--trust-config/,
    ),
  ]);
  const trusted = await folder.load({ trustConfig: true });
  expect(trusted.rules.allow).toHaveLength(2);
  expect(trusted.warnings).toEqual([]);
});

test.each([
  [{ deny: ["bashh(rm *)"] }, "did you mean bash(rm *)"],
  [{ deny: ["bash(rm *"] }, "no permission rule"],
  [{ allow: ["write:execute"] }, "has no action"],
])("a rule that cannot be understood is told with its place: %j", async (permissions, says) => {
  using folder = projectFolder();
  folder.write("crush.json", { permissions });
  const { reason, message, remedy } = await folder.failure();
  expect(reason).toBe("invalid_config");
  expect(message).toMatch(/^ROOT\/crush\.json:1:\d+: permissions\./);
  expect(`${message}; ${remedy ?? ""}`).toContain(says);
});
