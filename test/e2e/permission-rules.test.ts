import { describe, expect, test } from "vitest";
import { attempt, bash, denial, view } from "../support/attempt.ts";
import type { CrushPlace } from "../support/crush.ts";
import { errorLines } from "../support/ended-run.ts";

describe("crush.json", () => {
  const project =
    (permissions: object) =>
    (place: CrushPlace): void =>
      void place.write("crush.json", JSON.stringify({ permissions }));

  test("deny rules of a project count, and its allow rules can narrow", async () => {
    const denied = await attempt([], [bash("touch a")], project({ deny: ["bash(touch *)"] }));
    expect([denied.ended.status, denied.result["denials"]]).toEqual([
      0,
      [denial("denied", "bash(touch *)")],
    ]);
    const narrowed = await attempt([], [bash("touch a")], project({ allow: ["bash(git *)"] }));
    expect(narrowed.ended.status).toBe(7);
  });

  test("a rule of a project that widens takes effect only with --trust-config", async () => {
    const rules = project({ allow: ["view(/etc/hosts)"] });
    const refused = await attempt([], [view("/etc/hosts")], rules);
    expect([refused.ended.status, refused.result["reason"], refused.requests]).toEqual([
      2,
      "invalid_config",
      0,
    ]);
    expect(errorLines(refused.ended)[0]).toContain("permissions.allow[0]");
    const trusted = await attempt(["--trust-config"], [view("/etc/hosts")], rules);
    expect([trusted.ended.status, trusted.result["denials"]]).toEqual([0, []]);
  });

  test("a deny rule that cannot be understood ends the run before it begins", async () => {
    const { ended, requests } = await attempt([], [], project({ deny: ["bsh(rm *)"] }));
    expect([ended.status, requests]).toEqual([2, 0]);
    expect(errorLines(ended)[0]).toMatch(
      /crush\.json:1:\d+: permissions\.deny\[0\]: .*bash\(rm \*\)/,
    );
  });
});

describe("what makes no sense is refused by name, and nothing is sent", () => {
  test.each([
    [
      ["--allow", "bsh(git *)"],
      "--allow bsh(git *): there is no tool bsh",
      "did you mean bash(git *)",
    ],
    [["--allow", "bash(git *"], "--allow", "tool(pattern)"],
    [["--allow", ""], "--allow is empty", "name a tool"],
    [["--deny", "write:execute"], "--deny write:execute", "write:write"],
    [["--deny", "fetch(ftp://x)"], "--deny fetch(ftp://x)", "fetch(https://"],
    [["--deny"], "--deny hi: there is no tool hi", "the tools are view"],
    [["--on-ask", "maybe"], '--on-ask is "maybe"', "deny, allow or abort"],
    [["--read-only=perhaps"], "--read-only", "--no-read-only"],
    [["--yolo=perhaps"], "--yolo", "--no-yolo"],
    [["--yolo", "--read-only"], "--yolo and --read-only", "give one of them"],
    [["--yolo", "--on-ask", "deny"], "--on-ask says nothing", "leave one of them out"],
    [["--yolo", "--allow", "bash"], "--allow says nothing", "leave one of them out"],
    [["--on-ask=abort", "--allow-blocked"], "--allow-blocked", "leave one of them out"],
  ])("%j", async (args, says, remedy) => {
    const { ended, requests } = await attempt(args, []);
    expect([ended.status, requests]).toEqual([2, 0]);
    expect(errorLines(ended)).toEqual([expect.stringContaining(says) as string]);
    expect(errorLines(ended)[0]).toContain(remedy);
  });
});
