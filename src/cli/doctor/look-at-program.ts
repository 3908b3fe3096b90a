import { nearest } from "../../shared/nearest.ts";
import { RunFailed } from "../../protocol/ending.ts";
import { formatOf } from "../answer.ts";
import { COMMANDS } from "../commands.ts";
import { Flags } from "../flag-values.ts";
import { COMMON_FLAGS, type Flag } from "../flags.ts";
import { RUN_FLAGS } from "../run-flags.ts";
import { progressOf } from "../progress.ts";
import { readRequest } from "../run-request.ts";
import { stdinKind, type StdinKind } from "../stdin-kind.ts";
import { VERSION } from "../version.ts";
import { fine, note, problem, warning, type DoctorFinding } from "./finding.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** The program, its Node, and what it was started with. */
export async function lookAtProgram(env: Env): Promise<readonly DoctorFinding[]> {
  return [
    fine("program", `crush-run ${VERSION}, ${codeCache()}`),
    fine("node", `${process.version} on ${process.platform} ${process.arch}`),
    ...(await variables(env)),
    note("terminal", terminal(env)),
    note("stdin", STDIN[stdinKind()]),
  ];
}

const STDIN: Readonly<Record<StdinKind, string>> = {
  closed: "closed: a run takes its prompt from the words alone",
  terminal: "a terminal: a run does not read it",
  file: "a file: a run reads it, before the words",
  pipe: "a pipe: a run reads it to its end, before the words; --no-stdin leaves it alone",
  socket: "a socket: a run reads it to its end, before the words; --no-stdin leaves it alone",
  device: "a device such as /dev/null: a run does not read it",
};

/** The loader leaves word where the compiled code came from. */
function codeCache(): string {
  const from: unknown = Reflect.get(globalThis, Symbol.for("crush-run.cache-from"));
  if (from === "user" || from === "shipped") return `starts from the ${from} code cache`;
  return from === "none" || from === "rejected"
    ? "starts without a code cache until a run has made one"
    : "not started from a build";
}

function terminal(env: Env): string {
  const streams = [
    ["stdout", process.stdout.isTTY],
    ["stderr", process.stderr.isTTY],
  ].map(([name, isTty]) => `${name} is ${isTty === true ? "a terminal" : "none"}`);
  const named = ["TERM", "NO_COLOR", "FORCE_COLOR", "CI"].flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [`${name}=${value}`];
  });
  return [...streams, ...named].join(", ");
}

/** Flags can be given as variables: whether those here make sense. */
async function variables(env: Env): Promise<readonly DoctorFinding[]> {
  const known = new Set([
    ...[COMMON_FLAGS, ...COMMANDS.map(({ flags }) => flags)].flatMap((table) =>
      Object.values<Flag>(table).flatMap(({ twin }) => (twin === undefined ? [] : [twin])),
    ),
    ...OTHERS,
  ]);
  const set = Object.keys(env)
    .filter((name) => name.startsWith("CRUSH_RUN_") && (env[name] ?? "") !== "")
    .sort();
  const strange = set.filter((name) => !known.has(name));
  const settings = set.filter((name) => known.has(name) && !INNER.has(name));
  return [
    ...(settings.length === 0 ? [] : [note("variables", `set here: ${settings.join(", ")}`)]),
    ...strange.map((name) => {
      const [similar] = nearest(name, [...known], 1);
      const remedy =
        similar === undefined ? "see: crush run --help-all" : `did you mean ${similar}?`;
      return warning("variables", `${name} is no variable of crush run and does nothing`, remedy);
    }),
    ...(await refused(env)),
  ];
}

/** Not the twin of a flag. */
const OTHERS = [
  "CRUSH_RUN_STORE_LIMIT",
  "CRUSH_RUN_CONNECT_TIMEOUT",
  "CRUSH_RUN_FIRST_BYTE_TIMEOUT",
  "CRUSH_RUN_ID",
];
/** Set for what a run starts. */
const INNER = new Set(["CRUSH_RUN_ID"]);

/** A value that would end a run before it begins. */
async function refused(env: Env): Promise<readonly DoctorFinding[]> {
  try {
    const flags = new Flags({}, { ...COMMON_FLAGS, ...RUN_FLAGS }, (word) => word, env);
    formatOf(flags);
    progressOf(flags);
    await readRequest(flags);
    return [];
  } catch (error) {
    if (error instanceof RunFailed) return [problem("variables", error.failure)];
    throw error;
  }
}
