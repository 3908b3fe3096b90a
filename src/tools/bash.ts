import { defineTool } from "./define-tool.ts";
import { inputShape, integer, optional, text, words } from "./tool-input.ts";
import { runShell, type ShellEnd } from "./shell-command.ts";
import { failed } from "./tool-result.ts";
import type { ToolResult } from "./tool.ts";

const DEFAULT_TIMEOUT_S = 120;
const MAX_TIMEOUT_S = 600;

export const bashTool = defineTool({
  name: "bash",
  description: `Run a shell command in the working directory and return its output (stdout and stderr together) and exit code. Nobody is watching: stdin is closed, there is no terminal, and prompts fail, so pass flags like --yes. Every call is a new shell; background jobs (&) are ended when the command returns. Time limit ${DEFAULT_TIMEOUT_S} s unless \`timeout\` says otherwise. Of a long output only the beginning and the end are kept.`,
  readsOnly: false,
  input: inputShape({
    command: words("The command line, given to the shell as it is"),
    description: optional(text("What it does, in a few words")),
    timeout: optional(integer("Time limit in seconds", 1, MAX_TIMEOUT_S)),
  }),
  run: async ({ command, timeout = DEFAULT_TIMEOUT_S }, context) => {
    if (command.includes("\0")) return failed("bash: field `command` contains a NUL character");
    const refused = await context.permit({ kind: "command", text: command });
    if (refused !== null) return refused;
    const { cwd, env, onProgress, signal } = context;
    const timeLimitMs = timeout * 1000;
    const end = await runShell({ command, cwd, env, timeLimitMs, onProgress, signal });
    return resultOf(end, timeout);
  },
});

function resultOf(end: ShellEnd, timeoutS: number): ToolResult {
  if (end.type === "not_started") {
    const long = end.message.includes("E2BIG");
    return failed(
      `bash: ${long ? "the command is too long; put it into a file with `write` and run that" : end.message}`,
    );
  }
  const { output: shown, cutBytes } = end;
  const notes = notesOn(end, timeoutS);
  const lines = [shown === "" && notes.length === 0 ? "(no output)" : shown, ...notes];
  return {
    content: lines.filter((line) => line !== "").join("\n"),
    isError: end.stopped !== null || end.exitCode !== 0,
    truncated: cutBytes > 0,
    metadata: {
      exit_code: end.exitCode,
      signal: end.endedBy,
      timed_out: end.stopped === "time_limit",
      output_bytes: end.outputBytes,
    },
  };
}

function notesOn(end: Extract<ShellEnd, { type: "ended" }>, timeoutS: number): string[] {
  const notes: string[] = [];
  if (end.stopped === "time_limit")
    notes.push(`[timed out after ${timeoutS} s; the command and all it started were ended]`);
  else if (end.endedBy !== null) notes.push(`[ended by ${end.endedBy}]`);
  else if (end.exitCode !== 0) notes.push(`[exit code ${end.exitCode}]`);
  if (end.leftBehind > 0)
    notes.push(`[${end.leftBehind} process(es) left in the background were ended]`);
  return notes;
}
