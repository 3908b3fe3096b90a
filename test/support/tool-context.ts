import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "../../src/shared/json.ts";
import {
  DEFAULT_SETTINGS,
  permissionsOf,
  type PermissionSettings,
} from "../../src/tools/permissions/permissions.ts";
import type { FileTracker, Tool, ToolContext, ToolResult } from "../../src/tools/tool.ts";

/** A real directory of its own, gone at the end of the scope. */
export function tempDirectory(): { readonly path: string } & Disposable {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "crush-tools-")));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export function fileTracker(): FileTracker {
  const seen = new Map<string, string>();
  return {
    lastSeen: (path) => seen.get(path) ?? null,
    record: (path, digest) => void seen.set(path, digest),
  };
}

export function toolContext(cwd: string, more: Partial<ToolContext> = {}): ToolContext {
  return {
    permit: async (wish) => await (await permissionsOf(DEFAULT_SETTINGS, cwd)).permit("view", wish),
    hides: null,
    cwd,
    env: { PATH: process.env["PATH"] ?? "", HOME: cwd },
    files: fileTracker(),
    signal: new AbortController().signal,
    onProgress: () => {},
    ...more,
  };
}

/** One call in a context of its own. */
export function call(tool: Tool, cwd: string, input: JsonObject): Promise<ToolResult> {
  return tool.run(input, toolContext(cwd));
}

/** One call under these rules. */
export async function callWith(
  tool: Tool,
  cwd: string,
  input: JsonObject,
  settings: PermissionSettings,
): Promise<ToolResult> {
  const permissions = await permissionsOf(settings, cwd);
  const context = toolContext(cwd, {
    permit: async (wish) => await permissions.permit(tool.name, wish),
    hides: permissions.hides(tool.name),
  });
  return await tool.run(input, context);
}
