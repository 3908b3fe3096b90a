import { existsSync } from "node:fs";
import { checkConfig, inspectConfig, type Finding } from "../config/check-config.ts";
import { fieldName, whereIs } from "../config/config-file.ts";
import { configJsonSchema } from "../config/json-schema.ts";
import type { LoadOptions } from "../config/load.ts";
import { maskedConfig } from "../config/masked-config.ts";
import { originsOf } from "../config/origins.ts";
import { surveyConfig, type Place } from "../config/survey.ts";
import { failure, RunFailed } from "../protocol/ending.ts";
import type { JsonObject } from "../shared/json.ts";
import type { Flags } from "./flag-values.ts";
import { oneLine } from "./one-line.ts";
import { printOut } from "./print-out.ts";
import { timeLimit } from "./time-limit.ts";
import { workspaceFlags } from "./workspace-flags.ts";

/** Longer than the longest `$(command)` of an `env` entry may take. */
const CHECK_MS = 40_000;

/** `crush config path`: every file that is looked for, the strongest last, and the data directory. */
export async function configPathCommand(flags: Flags): Promise<number> {
  const { places, dataDirectory } = await surveyConfig(asked(flags));
  if (flags.flag("json") === true)
    return await printJson({
      files: places.map(({ path, layer, state }) => ({ path, layer, state })),
      data_directory: { path: dataDirectory, exists: existsSync(dataDirectory) },
    });
  const lines = places.map(
    (place) => `${place.state.padEnd(8)} ${place.path}${inBrackets(reasonOf(place))}`,
  );
  const state = existsSync(dataDirectory) ? "there" : "missing";
  return await printOut(
    [...lines, `${state.padEnd(8)} ${dataDirectory} (data directory)`].map(ended).join(""),
  );
}

/** `crush config show`: the files merged, without their secrets; nothing is expanded and nothing is run. */
export async function configShowCommand(flags: Flags): Promise<number> {
  const { survey, findings } = await inspectConfig(asked(flags));
  const { files, merged } = survey;
  const broken = findings.find(({ severity, kind }) => severity === "error" && kind === "file");
  if (broken) throw refusal(broken.message, broken.remedy);
  for (const { severity, message } of findings)
    if (severity === "error")
      process.stderr.write(`warning: a run would be refused: ${oneLine(message)}\n`);
  const config = maskedConfig(merged as JsonObject, process.env);
  if (flags.flag("sources") !== true) return await printJson(config);
  const sources: Record<string, string> = {};
  for (const { field, file, at } of originsOf(files))
    sources[fieldName(field)] = await whereIs(file, at);
  return await printJson({ files: files.map(({ path }) => path), config, sources });
}

/** `crush config check`: everything that is wrong, one line each; 2 when a run would be refused. */
export async function configCheckCommand(flags: Flags): Promise<number> {
  const signal = timeLimit(CHECK_MS, "see what takes so long: a $(command) in crush.json, for one");
  const { survey, findings } = await checkConfig({ ...asked(flags), signal });
  const errors = findings.filter(({ severity }) => severity === "error");
  const sources = survey.files.map(({ path }) => path);
  const printed =
    flags.flag("json") === true
      ? await printJson({ ok: errors.length === 0, files: sources, findings: findings.map(asJson) })
      : await printOut(
          [
            ...findings.map(lineOf),
            ...(errors.length > 0 ? [] : [`ok: ${sources.join(", ") || "no configuration file"}`]),
          ]
            .map(ended)
            .join(""),
        );
  if (printed !== 0 || errors.length === 0) return printed;
  const what = errors.length === 1 ? "is a mistake" : `are ${errors.length} mistakes`;
  throw refusal(
    `there ${what} in the configuration`,
    "standard output has a line with the remedy for each",
  );
}

/** `crush config schema`: the JSON Schema of crush.json, for editors. */
export const configSchemaCommand = async (): Promise<number> => await printJson(configJsonSchema());

function asked(flags: Flags): Omit<LoadOptions, "signal"> {
  const { path: cwd, ...files } = workspaceFlags(flags);
  return { cwd, env: process.env, ...files };
}

const refusal = (message: string, remedy: string | null): RunFailed =>
  new RunFailed(failure("invalid_config", message, { remedy }));

const reasonOf = ({ why, problem }: Place): string =>
  problem?.failure.message ?? (why === null ? "" : why.slice(why.indexOf(": ") + 2));

const inBrackets = (text: string): string => (text === "" ? "" : ` (${oneLine(text)})`);

const lineOf = ({ severity, message, remedy }: Finding): string =>
  `${severity}: ${oneLine(message)}${remedy === null ? "" : `; ${oneLine(remedy)}`}`;

/** With the place apart from the message, for programs. */
function asJson({ severity, kind, message, remedy }: Finding): JsonObject {
  const [, file, line, column, text] = /^(.+?):(\d+):(\d+): (.*)$/s.exec(message) ?? [];
  const place =
    file === undefined
      ? { file: null, line: null, column: null, message }
      : { file, line: Number(line), column: Number(column), message: text ?? "" };
  return { severity, kind, ...place, remedy };
}

const ended = (line: string): string => `${line}\n`;

const printJson = async (value: JsonObject): Promise<number> =>
  await printOut(`${JSON.stringify(value, null, 2)}\n`);
