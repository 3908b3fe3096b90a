import type { InputShape } from "./tool-input.ts";
import { failed } from "./tool-result.ts";
import type { Tool, ToolContext, ToolResult } from "./tool.ts";

/** A tool whose input is checked before it runs, and whose failed file operations are results. */
export function defineTool<T>(definition: {
  readonly name: string;
  readonly description: string;
  readonly readsOnly: boolean;
  readonly input: InputShape<T>;
  readonly run: (input: T, context: ToolContext) => Promise<ToolResult>;
}): Tool {
  return {
    name: definition.name,
    description: definition.description,
    inputSchema: definition.input.schema,
    readsOnly: definition.readsOnly,
    run: async (input, context) => {
      context.signal.throwIfAborted();
      const checked = definition.input.read(input);
      if ("problem" in checked) return failed(`${definition.name}: ${checked.problem}`);
      try {
        return await definition.run(checked.value, context);
      } catch (error) {
        context.signal.throwIfAborted();
        if (isSystemError(error)) return failed(`${definition.name}: ${wordsFor(error)}`);
        throw error; // a bug; caught at the rim of the run
      }
    },
  };
}

interface SystemError extends Error {
  readonly code: string;
  readonly path?: string;
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && "syscall" in error && "code" in error;
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  ENOTDIR: "a part of the path is a file, not a directory",
  EISDIR: "it is a directory",
  ENOSPC: "no space left on the device",
  EROFS: "the file system is read-only",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "the path is, or became, a symbolic link that cannot be followed",
};

function wordsFor(error: SystemError): string {
  const words = WORDS[error.code] ?? error.message;
  return error.path === undefined ? words : `${words}: ${error.path}`;
}
