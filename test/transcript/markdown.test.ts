import * as fc from "fast-check";
import { expect, test } from "vitest";
import { markdownOf } from "../../src/transcript/markdown.ts";
import { message, NOON, transcript } from "../support/a-transcript.ts";

test("a session reads from its title to its last answer", () => {
  const text = markdownOf(
    transcript([
      message("user", [
        { type: "text", text: "List it" },
        { type: "binary", path: "a.png", mimeType: "image/png", data: "AAAA" },
      ]),
      message("assistant", [
        { type: "reasoning", thinking: "one\ntwo" },
        { type: "tool_call", id: "c", name: "ls", input: '{"path":"."}', finished: true },
        { type: "tool_call", id: "d", name: "ls", input: "{", finished: true },
        { type: "finish", reason: "tool_use", time: NOON },
      ]),
      message("tool", [
        {
          type: "tool_result",
          toolCallId: "c",
          name: "ls",
          content: "a\nb",
          isError: true,
          metadata: "",
        },
      ]),
      message("assistant", [
        { type: "text", text: "There are **two**.\n" },
        { type: "finish", reason: "max_tokens", time: NOON },
      ]),
    ]),
  );
  const time = text.match(/^- Created: (.*)$/m)?.[1] ?? "";
  expect(text.replaceAll(time, "TIME").replace(/^- Modified.*$/m, "- Modified: LATER")).toBe(
    `# Fix the bug

- Session: \`703e28f876f666f2\` (\`00000000-0000-4000-8000-000000000001\`)
- Created: TIME
- Modified: LATER
- Models: \`openai/gpt-4o\`
- Tokens: 1200 in, 80 out
- Cost: $0.010000

## User, TIME

List it

*Attachment:* \`a.png\` (image/png, 3 bytes)

## Assistant, TIME

> *Thought*
>
> one
> two

**Tool** \`ls\`

\`\`\`json
{
  "path": "."
}
\`\`\`

*It failed:*

\`\`\`
a
b
\`\`\`

**Tool** \`ls\`

\`\`\`json
{
\`\`\`

*No result.*

## Assistant, TIME

There are **two**.

*Ended:* max\\_tokens
`,
  );
});

test("no output of a tool ends its fence", () => {
  const content = fc.string({ unit: fc.constantFrom("`", "\n", "a", " "), maxLength: 60 });
  fc.assert(
    fc.property(content, (output) => {
      const document = markdownOf(
        transcript([
          message("tool", [
            {
              type: "tool_result",
              toolCallId: "c",
              name: "x",
              content: output,
              isError: false,
              metadata: "",
            },
          ]),
        ]),
      );
      const block = document.slice(document.indexOf("**Tool**")).split("\n").slice(2);
      const fence = block[0] ?? "";
      expect(fence).toMatch(/^`{3,}$/);
      const end = block.findIndex((line, at) => at > 0 && line.trimStart().startsWith(fence));
      expect(block.slice(1, end).join("\n")).toBe(output.replace(/\n$/, ""));
    }),
  );
});

test("a title and a name of a tool are no Markdown", () => {
  const document = markdownOf(
    transcript(
      [
        message("assistant", [
          { type: "tool_call", id: "c", name: "a`b\n# c", input: "{}", finished: true },
        ]),
      ],
      { title: "<img src=x>\n# [a](b)" },
    ),
  );
  expect(document.split("\n")[0]).toBe("# \\<img src=x\\> \\# \\[a\\]\\(b\\)");
  expect(document).toContain("**Tool** `` a`b # c ``");
});

test.each([
  ["see\n```ts\nconst a = 1;", "see\n```ts\nconst a = 1;\n```"],
  ["~~~~\n~~~\n```", "~~~~\n~~~\n```\n~~~~"],
  ["````\n```\n````x", "````\n```\n````x\n````"],
  ["```\na\n```", "```\na\n```"],
  ["```\na\n`````\nb", "```\na\n`````\nb"],
  ["``` is `code`", "``` is `code`"],
])("a code block in which %j was cut off ends before the next heading", (text, shown) => {
  const cut = message("assistant", [{ type: "text", text }]);
  const next = message("user", [{ type: "text", text: "Go on" }]);
  expect(markdownOf(transcript([cut, next]))).toContain(`\n\n${shown}\n\n## User`);
});
