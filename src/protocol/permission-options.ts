import * as z from "zod/mini";
import { isProblem, parseRule } from "./permission-rule.ts";

/** What becomes of a call that somebody would have to approve. */
export const ON_ASK = ["deny", "allow", "abort"] as const;
export type OnAsk = (typeof ON_ASK)[number];

const rule = z.string().check((ctx) => {
  const parsed = parseRule(ctx.value);
  if (isProblem(parsed))
    ctx.issues.push({
      code: "custom",
      message: `${parsed.problem}; ${parsed.remedy}`,
      input: ctx.value,
    });
});

/** What the tools of one run may do; rules are `tool`, `tool:action` or `tool(pattern)`. docs/permissions.md. */
export const permissionOptionsSchema = z
  .object({
    allow: z.optional(z.array(rule)),
    deny: z.optional(z.array(rule)),
    readOnly: z.optional(z.boolean()),
    yolo: z.optional(z.boolean()),
    onAsk: z.optional(z.enum(ON_ASK)),
  })
  .check((ctx) => {
    const clash = clashIn(ctx.value);
    if (clash !== null) ctx.issues.push({ code: "custom", message: clash, input: ctx.value });
  });

export type PermissionOptions = z.infer<typeof permissionOptionsSchema>;

/** Two options that make no sense together, or null. */
function clashIn({
  readOnly,
  yolo,
  onAsk,
}: {
  readonly readOnly?: boolean | undefined;
  readonly yolo?: boolean | undefined;
  readonly onAsk?: OnAsk | undefined;
}): string | null {
  if (yolo !== true) return null;
  if (readOnly === true) return "yolo and read_only exclude each other";
  return onAsk === undefined ? null : "with yolo nothing is asked, so on_ask says nothing";
}
