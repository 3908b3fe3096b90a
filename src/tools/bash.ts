import { constants } from "node:fs";
import { promises } from "node:fs";
import { delimiter, join } from "node:path";
import { RESULT_LIMIT_BYTES } from "./bounded-text.ts";
import { defineTool } from "./define-tool.ts";
import { inputShape, integer, optional, text, words } from "./tool-input.ts";
import { failed } from "./tool-result.ts";
import type { GroupEnd } from "./process-group.ts";
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
    const { runInGroup } = await import("./process-group.ts");
    const end = await runInGroup({
      file: "sh",
      // One pipe for both streams keeps their order, as on a terminal.
      args: ["-c", 'exec "$0" -c "$1" 2>&1', await shellFor(context.env["PATH"]), command],
      cwd: context.cwd,
      env: context.env,
      timeLimitMs: timeout * 1000,
      keepHead: RESULT_LIMIT_BYTES / 2,
      keepTail: RESULT_LIMIT_BYTES / 2,
      onProgress: context.onProgress,
      signal: context.signal,
    });
    return resultOf(end, timeout);
  },
});

async function shellFor(path = "/usr/local/bin:/usr/bin:/bin"): Promise<string> {
  for (const directory of path.split(delimiter)) {
    const candidate = join(directory || ".", "bash");
    const usable = await promises.access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return candidate;
  }
  return "sh";
}

function resultOf(end: GroupEnd, timeoutS: number): ToolResult {
  if (end.type === "not_started") {
    const long = end.message.includes("E2BIG");
    return failed(
      `bash: ${long ? "the command is too long; put it into a file with `write` and run that" : end.message}`,
    );
  }
  const { text: output, cutBytes } = end.stdout.text(
    (cut) => `[${cut} bytes left out; redirect the output to a file and \`view\` or \`grep\` it]`,
  );
  const notes = notesOn(end, timeoutS);
  const shown = `${output}${end.stderr.text(() => "").text}`.replace(/\n+$/, "");
  const lines = [shown === "" && notes.length === 0 ? "(no output)" : shown, ...notes];
  return {
    content: lines.filter((line) => line !== "").join("\n"),
    isError: end.stopped !== null || end.exitCode !== 0,
    truncated: cutBytes > 0,
    metadata: {
      exit_code: end.exitCode,
      signal: end.endedBy,
      timed_out: end.stopped === "time_limit",
      output_bytes: end.stdout.total + end.stderr.total,
    },
  };
}

function notesOn(end: Extract<GroupEnd, { type: "ended" }>, timeoutS: number): string[] {
  const notes: string[] = [];
  if (end.stopped === "time_limit")
    notes.push(`[timed out after ${timeoutS} s; the command and all it started were ended]`);
  else if (end.endedBy !== null) notes.push(`[ended by ${end.endedBy}]`);
  else if (end.exitCode !== 0) notes.push(`[exit code ${end.exitCode}]`);
  if (end.leftBehind > 0)
    notes.push(`[${end.leftBehind} process(es) left in the background were ended]`);
  return notes;
}
