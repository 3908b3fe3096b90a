import { constants, promises } from "node:fs";
import { delimiter, join } from "node:path";
import { RESULT_LIMIT_BYTES } from "./bounded-text.ts";
import type { GroupCommand, GroupEnd } from "./process-group.ts";

export type ShellCommand = Pick<
  GroupCommand,
  "cwd" | "env" | "timeLimitMs" | "onProgress" | "signal"
> & {
  /** Given to the shell as it is. */
  readonly command: string;
};

type Ended = Extract<GroupEnd, { type: "ended" }>;

export type ShellEnd =
  | Extract<GroupEnd, { type: "not_started" }>
  | (Pick<Ended, "type" | "exitCode" | "endedBy" | "stopped" | "leftBehind"> & {
      /** Standard output and error, of a long one the beginning and the end; no newlines at its end. */
      readonly output: string;
      readonly cutBytes: number;
      readonly outputBytes: number;
    });

/** Runs a command line in bash, or in sh where there is none, under the contract of `runInGroup`. */
export async function runShell({ command, ...more }: ShellCommand): Promise<ShellEnd> {
  const { runInGroup } = await import("./process-group.ts");
  const end = await runInGroup({
    ...more,
    file: "sh",
    // One pipe for both streams keeps their order, as on a terminal.
    args: ["-c", 'exec "$0" -c "$1" 2>&1', await shellFor(more.env["PATH"]), command],
    keepHead: RESULT_LIMIT_BYTES / 2,
    keepTail: RESULT_LIMIT_BYTES / 2,
  });
  if (end.type === "not_started") return end;
  const { type, exitCode, endedBy, stopped, leftBehind, stdout, stderr } = end;
  const { text, cutBytes } = stdout.text(
    (cut) => `[${cut} bytes left out; redirect the output to a file and \`view\` or \`grep\` it]`,
  );
  const output = `${text}${stderr.text(() => "").text}`.replace(/\n+$/, "");
  const outputBytes = stdout.total + stderr.total;
  return { type, exitCode, endedBy, stopped, leftBehind, output, cutBytes, outputBytes };
}

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
