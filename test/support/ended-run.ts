import type { CrushPlace, Ended } from "./crush.ts";

/** The run id that `-v` told of. */
export function runIdOf(stderr: Buffer): string {
  const id = /^run (\S+) in session /m.exec(stderr.toString())?.[1];
  if (id !== undefined) return id;
  throw new Error(`no run id in: ${stderr.toString()}`);
}

/** The session id that `-v` told of. */
export function sessionIdOf(stderr: Buffer): string {
  const id = /^run \S+ in session (\S+) with /m.exec(stderr.toString())?.[1];
  if (id !== undefined) return id;
  throw new Error(`no session id in: ${stderr.toString()}`);
}

/** The lines of standard error that say how it ended. */
export const errorLines = ({ stderr }: Pick<Ended, "stderr">): string[] =>
  stderr
    .toString()
    .split("\n")
    .filter((line) => line.startsWith("error:"));

/** The head of `crush show`, as a table. */
export async function shown(
  place: CrushPlace,
  runId: string,
  args: readonly string[] = [],
): Promise<Readonly<Record<string, string>>> {
  const { status, stdout, stderr } = await place.run(["show", ...args, runId]);
  if (status !== 0) throw new Error(`crush show: ${stderr.toString()}`);
  const [head = ""] = stdout.toString().split("\n\n", 1);
  return Object.fromEntries(
    head.split("\n").map((line) => [line.slice(0, 9).trim(), line.slice(10)] as const),
  );
}
