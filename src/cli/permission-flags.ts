import { ON_ASK, type PermissionOptions } from "../protocol/permission-options.ts";
import { isProblem, parseRule } from "../protocol/permission-rule.ts";
import type { Flags } from "./flag-values.ts";
import { usage } from "./usage.ts";

/** What the tools may do, as the command line says it; null when it says nothing. Throws `usage`. */
export function permissionsOf(flags: Flags): PermissionOptions | null {
  const allow = rules(flags, "allow");
  const deny = rules(flags, "deny");
  const readOnly = flags.flag("read-only") ?? false;
  const yolo = flags.flag("yolo") ?? false;
  const onAsk = flags.choice("on-ask", ON_ASK);
  const named = (name: string): string => flags.named(name);
  if (yolo && readOnly)
    throw usage(
      `${named("yolo")} and ${named("read-only")} exclude each other`,
      "give one of them",
    );
  if (yolo && onAsk !== null)
    throw usage(
      `with ${named("yolo")} nothing is asked, so ${named("on-ask")} says nothing`,
      "leave one of them out",
    );
  if (yolo && allow.length > 0)
    throw usage(
      `${named("yolo")} allows everything, so ${named("allow")} says nothing`,
      "leave one of them out",
    );
  if (onAsk !== null && onAsk !== "deny" && (flags.flag("allow-blocked") ?? false))
    throw usage(
      `with ${named("on-ask")}=${onAsk} no refused call is left for ${named("allow-blocked")}`,
      "leave one of them out",
    );
  if (allow.length + deny.length === 0 && !readOnly && !yolo && onAsk === null) return null;
  return {
    ...(allow.length > 0 && { allow: [...allow] }),
    ...(deny.length > 0 && { deny: [...deny] }),
    ...(readOnly && { readOnly }),
    ...(yolo && { yolo }),
    ...(onAsk !== null && { onAsk }),
  };
}

/** One rule from each flag; in the environment one on each line. */
function rules(flags: Flags, name: "allow" | "deny"): readonly string[] {
  const texts = flags.texts(name).flatMap((text) => text.split("\n"));
  const written = texts.map((text) => text.trim()).filter((text) => text !== "");
  if (written.length === 0 && texts.length > 0)
    throw usage(`${flags.named(name)} is empty`, `name a tool, such as --${name} 'bash(git *)'`);
  for (const text of written) {
    const parsed = parseRule(text);
    if (isProblem(parsed)) throw usage(`${flags.named(name)} ${parsed.problem}`, parsed.remedy);
  }
  return written;
}
