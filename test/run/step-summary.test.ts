import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { RunId } from "../../src/protocol/ids.ts";
import { failure } from "../../src/protocol/ending.ts";
import type { RunOutcome } from "../../src/protocol/run-record.ts";
import { NOTHING_HEARD } from "../../src/run/heard.ts";
import { NO_FACTS, resultDocument, type ResultDocument } from "../../src/run/result-document.ts";
import { stepOutputs } from "../../src/run/step-outputs.ts";
import { stepSummary } from "../../src/run/step-summary.ts";
import { outcome } from "../support/arbitrary.ts";
import { settledRecord } from "../support/run-record.ts";

function resultOf(told: Partial<RunOutcome>): ResultDocument {
  const record = settledRecord("run-1" as RunId, told);
  const { reason = "end_turn", failure: what = null } = told;
  const facts = { ...NO_FACTS, runId: record.runId, sessionId: record.sessionId, record };
  const end = { reason, failure: what, exitCode: 3, endedAfterMs: 12_345 };
  return resultDocument(facts, NOTHING_HEARD, end);
}

const ROOM = 100_000;

test("a summary tells how a run ended, what to do about it and what it cost", () => {
  const what = failure("timeout", "too | slow", { remedy: "raise `--timeout`" });
  const denial = {
    callId: "c",
    name: "view",
    kind: "unapproved",
    rule: "outside",
    remedy: "allow it",
  } as const;
  const summary = stepSummary(
    resultOf({
      reason: "timeout",
      failure: what,
      partial: true,
      costUsd: 0.0125,
      denials: [denial],
      warnings: ["an old\nkey"],
    }),
    ROOM,
  );
  expect(summary).toBe(`### crush run: timed_out (\`timeout\`), exit status 3

**Error:** \` too \\| slow \`

**Remedy:** \`\` raise \`--timeout\` \`\`

| | |
| --- | --- |
| Model | \` fake/one \` |
| Model calls | 1 |
| Tool calls | 0 |
| Tokens | 0 in (0 cached), 0 out (0 reasoning) |
| Cost | $0.0125 |
| Time | 12.3 s |
| Run | \` run-1 \` |
| Session | \` s \` |

**Refused tool calls**

- \` view (outside); allow it \`

**Warnings**

- \` an old key \`

<details><summary>Answer (not a whole answer)</summary>

<pre>
ok
</pre>

</details>
`);
});

test("of a run that completed a summary has no error, and an unknown cost is none of zero", () => {
  const summary = stepSummary(resultOf({ costUsd: null, text: "" }), ROOM);
  expect(summary).toMatch(/^### crush run: completed\n\n\| \| \|\n/);
  expect(summary).toContain("| Cost | not known |");
  expect(summary).not.toMatch(/Error|Remedy|details/);
});

test.each([
  [0, "$0.00"],
  [0.000_012_3, "$0.000012"],
  [0.5, "$0.50"],
  [12.3456, "$12.3456"],
])("%f US dollars are %s", (costUsd, shown) => {
  expect(stepSummary(resultOf({ costUsd }), ROOM)).toContain(`| Cost | ${shown} |\n`);
});

test("nothing that a model says becomes markup", () => {
  const text = "</pre></details># big\n<img src=x>&amp;\n\u001b[31m";
  expect(stepSummary(resultOf({ text }), ROOM)).toContain(
    "<pre>\n&lt;/pre&gt;&lt;/details&gt;# big\n&lt;img src=x&gt;&amp;amp;\n\ufffd[31m\n</pre>",
  );
  const list = stepSummary(resultOf({ warnings: ["`a` <b> ![c](d)\n# e"] }), ROOM);
  expect(list).toContain("- `` `a` <b> ![c](d) # e ``\n");
});

test("a long list is cut, and so is a long answer, each with a word about it", () => {
  const warnings = Array.from({ length: 25 }, (_, at) => `warning ${at}`);
  const summary = stepSummary(resultOf({ warnings, text: "<".repeat(300_000) }), 1_000_000) ?? "";
  expect(summary).toContain("- ` warning 19 `\n- and 5 more\n");
  expect(summary).toContain("Answer (only the beginning of its 300000 bytes)");
  expect(Buffer.byteLength(summary)).toBeLessThan(140_000);
  expect(summary).toMatch(/&lt;\n<\/pre>/);
});

test("a summary never takes more room than there is", () => {
  fc.assert(
    fc.property(outcome, fc.nat(4_000), (told, room) => {
      const summary = stepSummary(resultOf(told), room);
      expect(Buffer.byteLength(summary ?? "")).toBeLessThanOrEqual(room);
      expect(summary === null).toBe(room < 512);
    }),
  );
});

/** As the runner reads `$GITHUB_OUTPUT`. */
function readOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  const lines = text.split("\n");
  for (let at = 0; at < lines.length - 1; at += 1) {
    const [name = "", delimiter = ""] = (lines[at] ?? "").split("<<");
    const end = lines.indexOf(delimiter, at + 1);
    expect(end).toBeGreaterThan(at);
    outputs[name] = lines.slice(at + 1, end).join("\n");
    at = end;
  }
  return outputs;
}

test("outputs are read back as they were, whatever the model said", () => {
  fc.assert(
    fc.property(outcome, (told) => {
      const result = resultOf(told);
      expect(readOutputs(stepOutputs(result, "delimiter-1"))).toEqual({
        status: result.status,
        reason: result.reason,
        exit_code: "3",
        run_id: "run-1",
        session_id: "s",
        cost_usd: told.costUsd === null ? "" : `${told.costUsd}`,
        text: told.text,
        text_truncated: "false",
      });
    }),
  );
});

test("an output holds 64 KiB of the answer and says when there was more", () => {
  const outputs = readOutputs(stepOutputs(resultOf({ text: "é".repeat(40_000) }), "delimiter-1"));
  expect(outputs["text"]).toBe("é".repeat(32_768));
  expect(outputs["text_truncated"]).toBe("true");
});
