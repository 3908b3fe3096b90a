import { expect, test } from "vitest";
import { crushRule, isAbout, isProblem, parseRule } from "../../src/protocol/permission-rule.ts";

test.each([
  ["bash", "bash", null],
  [" bash(git *) ", "bash", "git *"],
  ["bash(echo $(date))", "bash", "echo $(date)"],
  ["bash:execute", "bash", null],
  ["edit:write", "edit", null],
  ["view(/etc/hosts)", "view", "/etc/hosts"],
  ["fetch(https://docs.*)", "fetch", "https://docs.*"],
  ["fetch(docs.rs)", "fetch", "docs.rs"],
  ["mcp_docs_*", "mcp_docs_*", null],
  ["mcp_docs_get-page", "mcp_docs_get-page", null],
  ["mcp_*:execute", "mcp_*", null],
  ["*", "*", null],
])("%s is a rule", (text, name, pattern) => {
  expect(parseRule(text)).toEqual({ text: text.trim(), name, pattern, exact: false });
});

test.each([
  ["", "is no permission rule"],
  ["bash(git *", "is no permission rule"],
  ["bash)", "is no permission rule"],
  ["bash(a) b", "is no permission rule"],
  ["bash(git *))", "its parentheses do not match"],
  ["bash()", "empty parentheses"],
  ["bash( )", "empty parentheses"],
  ["bashh(git *)", "did you mean bash(git *)"],
  ["Bash", "did you mean bash"],
  ["multiedit", "there is no tool multiedit"],
  ["mcp_", "there is no tool mcp_"],
  ["bash:write", 'has no action "write"; write bash:execute'],
  ["bash:execute(git *)", "has an action and a pattern"],
  ["mcp_docs_find(x)", "take no pattern"],
  ["*(x)", "several kinds"],
  ["fetch(https://me@x.net/*)", "credentials"],
  ["fetch(ftp://x.net)", "no pattern for addresses"],
  ["fetch(https://x.net:port)", "no pattern for addresses"],
])("%j is none, and it is said why", (text, says) => {
  const parsed = parseRule(text);
  expect(isProblem(parsed) ? `${parsed.problem}; ${parsed.remedy}` : parsed).toContain(says);
});

test("Crush's entries are exact, and those that name nothing here say nothing", () => {
  const rule = crushRule("write");
  expect(rule && ["write", "edit", "view"].map((tool) => isAbout(rule, tool))).toEqual([
    true,
    false,
    false,
  ]);
  expect(crushRule("edit:write")).toMatchObject({ name: "edit" });
  expect(crushRule("mcp_docs_get-page")).toMatchObject({ name: "mcp_docs_get-page" });
  for (const entry of ["multiedit", "bash(git *)", "mcp_*", "bash:read", "", "view:"])
    expect(crushRule(entry)).toBeNull();
});
