import { expect, test } from "vitest";
import { systemPrompt, type PromptFacts } from "../../src/agent/system-prompt.ts";

const facts: PromptFacts = {
  prefix: null,
  workingDirectory: "/home/ada/project",
  platform: "linux",
  date: "2026-11-21",
  contextFiles: [],
};

test("the same facts give the same bytes", () => {
  expect(systemPrompt({ ...facts })).toBe(systemPrompt(structuredClone(facts)));
});

test("it says that nobody is watching, where the agent is and what day it is", () => {
  const text = systemPrompt(facts);
  expect(text).toContain("Nobody is watching");
  expect(text).toContain("Working directory: /home/ada/project");
  expect(text).toContain("Date: 2026-11-21");
});

test("a provider's prefix comes first, context files last and in their order", () => {
  const text = systemPrompt({
    ...facts,
    prefix: "You are wise.",
    contextFiles: [
      { path: "AGENTS.md", content: "use tabs\n\n" },
      { path: "CRUSH.md", content: "use spaces" },
    ],
  });
  expect(text.startsWith("You are wise.\n\n")).toBe(true);
  expect(text.endsWith('</file>\n\n<file path="CRUSH.md">\nuse spaces\n</file>')).toBe(true);
  expect(text).toContain("Standing instructions, from files kept for agents.");
  expect(text).toContain('<file path="AGENTS.md">\nuse tabs\n</file>');
});

test("what is absent leaves no trace", () => {
  expect(systemPrompt(facts)).not.toContain("Standing instructions");
  expect(systemPrompt(facts)).not.toMatch(/\n{3}/);
});

const context = [{ path: "AGENTS.md", content: "use tabs" }];

test("a system prompt of one's own stands for all that we say ourselves; prefix and context files stay", () => {
  const text = systemPrompt({
    ...facts,
    prefix: "You are wise.",
    contextFiles: context,
    system: "Be a poet.",
  });
  expect(text.startsWith("You are wise.\n\nBe a poet.\n\n# What the user")).toBe(true);
  expect(text).toContain('<file path="AGENTS.md">\nuse tabs\n</file>');
  for (const ours of ["Nobody is watching", "Working directory", "Date:"])
    expect(text).not.toContain(ours);
  expect(systemPrompt({ ...facts, system: "Be a poet." })).toBe("Be a poet.");
});

test("what is appended comes last, behind our words or one's own", () => {
  const appendSystem = "Answer in French.";
  const ours = systemPrompt({ ...facts, contextFiles: context });
  expect(systemPrompt({ ...facts, contextFiles: context, appendSystem })).toBe(
    `${ours}\n\n${appendSystem}`,
  );
  expect(systemPrompt({ ...facts, system: "Be a poet.", appendSystem })).toBe(
    `Be a poet.\n\n${appendSystem}`,
  );
});
