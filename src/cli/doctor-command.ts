import { checkConfig } from "../config/check-config.ts";
import { networkSettings } from "../config/network-settings.ts";
import { failure, RunFailed } from "../protocol/ending.ts";
import { remedyOf } from "../protocol/remedy.ts";
import { orAborted } from "../shared/or-aborted.ts";
import { fine, note, problem, warning, type DoctorFinding } from "./doctor/finding.ts";
import { lookAtData } from "./doctor/look-at-data.ts";
import { lookAtModels } from "./doctor/look-at-models.ts";
import { lookAtProgram } from "./doctor/look-at-program.ts";
import { lookAtTools } from "./doctor/look-at-tools.ts";
import type { Flags } from "./flag-values.ts";
import { oneLine } from "./one-line.ts";
import { printOut } from "./print-out.ts";
import { workspaceFlags } from "./workspace-flags.ts";

/** For all of it together; the rest of ten seconds is for ending what was started. */
const LOOK_MS = 8_000;

/** `crush doctor`: what works here and what does not; ends with the status that a run would end with. */
export async function doctorCommand(flags: Flags): Promise<number> {
  const { env } = process;
  const { path: cwd, ...files } = workspaceFlags(flags);
  const online = flags.flag("online") ?? false;
  const limit = new AbortController();
  const late = new RunFailed(
    failure("timeout", `it did not end within ${LOOK_MS / 1000} s`, {
      remedy: "see what takes so long: a $(command) in crush.json, a slow disk or network",
    }),
  );
  const timer = setTimeout(() => limit.abort(late), LOOK_MS);
  const checked = checkConfig({ cwd, env, ...files, signal: limit.signal });
  const model = flags.text("model");
  const place = { cwd, env: fewVariables(env) };
  const looked = [
    bounded("program", async () => await lookAtProgram(env), limit.signal),
    bounded(
      "config",
      async () => await lookAtModels({ checked: await checked, env, model, online }, limit.signal),
      limit.signal,
    ),
    bounded("network", async () => network(env, model), limit.signal),
    bounded(
      "data",
      async () => await lookAtData((await checked).survey.dataDirectory, place, limit.signal),
      limit.signal,
    ),
    bounded("tools", async () => await lookAtTools(place, limit.signal), limit.signal),
  ];
  const findings = (await Promise.all(looked)).flat();
  clearTimeout(timer);
  const [first] = findings.filter(({ state }) => state === "problem");
  const printed =
    flags.flag("json") === true
      ? await printOut(`${JSON.stringify({ ok: first === undefined, findings }, null, 2)}\n`)
      : await printOut(findings.map(lineOf).join(""));
  if (printed !== 0 || first?.reason == null) return printed;
  throw new RunFailed(
    failure(first.reason, `crush run would not work here: ${first.text}`, { remedy: first.remedy }),
  );
}

/** What takes too long is said, and the others are told all the same. */
async function bounded(
  topic: string,
  look: () => Promise<readonly DoctorFinding[]>,
  signal: AbortSignal,
): Promise<readonly DoctorFinding[]> {
  try {
    return await orAborted(look(), signal);
  } catch (error) {
    if (!(error instanceof RunFailed)) throw error;
    return [problem(topic, error.failure)];
  }
}

/** What a program needs to start, and the marks by which an outer run finds it: no keys. */
const FEW = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "CRUSH_RUN_ID", "CRUSH_CALL_IDS"];

const fewVariables = (env: NodeJS.ProcessEnv): Readonly<Record<string, string>> =>
  Object.fromEntries(
    FEW.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );

/** A model that is played here needs no network. */
function network(env: NodeJS.ProcessEnv, model: string | null): readonly DoctorFinding[] {
  const settings = networkSettings(env);
  if (settings.length === 0) return [note("network", "no proxy and no certificates of your own")];
  return settings.map(({ state, text, remedy }) => {
    if (state === "fine") return fine("network", text);
    return state === "surprising" || model?.startsWith("demo/") === true
      ? warning("network", text, remedy)
      : problem("network", { reason: "provider_error", message: text, remedy });
  });
}

const WORDS = { ok: "ok", note: "-", warning: "warning", problem: "PROBLEM" } as const;

function lineOf({ state, topic, text, remedy, reason }: DoctorFinding): string {
  const help = remedy ?? (reason === null ? null : remedyOf(failure(reason, "")));
  return `${WORDS[state].padEnd(8)} ${topic.padEnd(9)} ${oneLine(text)}${help === null ? "" : `; ${oneLine(help)}`}\n`;
}
