import type { JsonObject } from "../../src/shared/json.ts";
import type { Tool, ToolContext, ToolResult } from "../../src/tools/tool.ts";

type Run = (input: JsonObject, context: ToolContext) => Promise<ToolResult>;

export const result = (content: string, more: Partial<ToolResult> = {}): ToolResult => ({
  content,
  isError: false,
  truncated: false,
  ...more,
});

export function fakeTool(
  name: string,
  run: Run = async () => result(`${name} done`),
  more: Partial<Tool> = {},
): Tool {
  return {
    name,
    description: `The ${name} tool`,
    inputSchema: { type: "object", properties: {}, additionalProperties: true },
    run,
    ...more,
  };
}
