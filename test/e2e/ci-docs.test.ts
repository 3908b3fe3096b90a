import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod/mini";
import { CRUSH, crushPlace, type CrushPlace } from "../support/crush.ts";
import { shell, type ShellEnd } from "../support/shell.ts";

const PAGE = readFileSync(new URL("../../docs/ci.md", import.meta.url), "utf8");
const VERSION = z.parse(
  z.object({ version: z.string() }),
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")),
).version;

/** The blocks of code of the page, in its order: a new one has to be run here too. */
const [GITHUB = "", GITLAB = "", SHELL = "", ...MORE] = Array.from(
  PAGE.matchAll(/^```(\w+)\n(.*?)^```$/gms),
  ([, language, code]) => `${language}\n${code}`,
);

/** Steps of the pipelines that are not run here, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {
  "actions/checkout@v4": "the scratch project stands for the checkout",
  "actions/setup-node@v4": "the Node of the test is used",
  "actions/cache@v4": "nothing is downloaded",
  "actions/upload-artifact@v4": "the test reads the files itself",
};

/** What GitHub puts in the place of an expression; outputs of steps are read from what the step has written. */
const EXPRESSIONS: Readonly<Record<string, string>> = {
  "secrets.ANTHROPIC_API_KEY": "sk-ant-not-a-key-0123456789",
  "github.event.pull_request.base.sha": "HEAD~1",
};

/** A step is run, whatever became of the one before, unless the job was cancelled. */
const CONDITIONS: readonly (string | undefined)[] = [undefined, "${{ !cancelled() }}"];

const githubStep = z.union([
  z.strictObject({ uses: z.string(), if: z.optional(z.string()), with: z.optional(z.unknown()) }),
  z.strictObject({
    name: z.string(),
    id: z.optional(z.string()),
    if: z.optional(z.string()),
    env: z.optional(z.record(z.string(), z.string())),
    run: z.string(),
  }),
]);
const githubJobs = z.object({
  permissions: z.strictObject({ contents: z.literal("read") }),
  jobs: z.record(z.string(), z.object({ steps: z.array(githubStep) })),
});
const gitlabJob = z.object({
  review: z.strictObject({
    stage: z.string(),
    image: z.string(),
    timeout: z.string(),
    rules: z.unknown(),
    variables: z.record(z.string(), z.string()),
    cache: z.unknown(),
    script: z.array(z.string()),
    retry: z.unknown(),
    allow_failure: z.strictObject({ exit_codes: z.array(z.number()) }),
    artifacts: z.strictObject({
      when: z.literal("always"),
      paths: z.array(z.string()),
      reports: z.strictObject({ junit: z.string() }),
    }),
  }),
});

/** In the place of npm: knows the one line that installs us, and puts this build on the PATH. */
const NPM = `#!/bin/sh
case "$*" in
  "install --global crush-run@${VERSION}" | "install --global --prefer-offline crush-run@${VERSION}") ;;
  *) echo "npm $*: not a line that this test knows" >&2; exit 1 ;;
esac
printf '#!/bin/sh\\nexec "${CRUSH}" "$@"\\n' >"$(dirname "$0")/crush"
chmod +x "$(dirname "$0")/crush"
`;

/** For machines without it: as much of jq as the page uses. */
const JQ = `#!/usr/bin/env node
const [flag, path, file] = process.argv.slice(2);
if (flag !== "-r" || !/^(\\.\\w+)+$/.test(path)) throw new Error("not a line that this stand-in knows");
const whole = JSON.parse(require("node:fs").readFileSync(file, "utf8"));
console.log(String(path.slice(1).split(".").reduce((value, key) => value?.[key] ?? null, whole)));
`;

/** A project with a change, npm in the place of the real one, and no crush on the PATH yet. */
function project(): CrushPlace {
  const place = crushPlace();
  const executable = (path: string, content: string): void =>
    chmodSync(place.write(path, content), 0o755);
  executable("../bin/npm", NPM);
  if (!onPath("jq")) executable("../bin/jq", JQ);
  place.write("file.txt", "one\n");
  const git = (...args: string[]): void =>
    void execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], {
      cwd: place.work,
      stdio: "pipe",
    });
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "one");
  place.write("file.txt", "two\n");
  git("commit", "-qam", "two");
  return place;
}

const onPath = (name: string): boolean =>
  (process.env["PATH"] ?? "").split(":").some((directory) => existsSync(join(directory, name)));

/** A script as the CI system runs it, with the demo model. */
async function runScript(
  place: CrushPlace,
  script: string,
  env: Readonly<Record<string, string>>,
): Promise<ShellEnd> {
  const file = place.write("../script.sh", script);
  const variables = {
    ...env,
    PATH: `${join(dirname(file), "bin")}:${withoutCrush()}`,
    CRUSH_RUN_MODEL: "demo/offline",
  };
  const given = Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`);
  return await shell(place, `unset -f crush\n${given.join("\n")}\nbash -e ${quoted(file)}`);
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const withoutCrush = (): string =>
  (process.env["PATH"] ?? "")
    .split(":")
    .filter((directory) => !existsSync(join(directory, "crush")))
    .join(":");

const read = (place: CrushPlace, path: string): string =>
  readFileSync(join(place.work, path), "utf8");

/** The outputs that a step has written to its file. */
const outputsOf = (text: string): Map<string, string> =>
  new Map(
    Array.from(text.matchAll(/^(\w+)<<(\S+)\n(.*?)\n\2$/gms), ([, name = "", , value = ""]) => [
      name,
      value,
    ]),
  );

function evaluated(text: string, outputs: ReadonlyMap<string, string>): string {
  return text.replace(/\$\{\{ (.*?) \}\}/g, (_, expression: string) => {
    const value = EXPRESSIONS[expression] ?? outputs.get(expression);
    if (value !== undefined) return value;
    throw new Error(`nothing is known of \${{ ${expression} }}`);
  });
}

function reviewed(place: CrushPlace, json: string, xml: string): void {
  expect(JSON.parse(read(place, json))).toMatchObject({
    type: "run.result",
    status: "completed",
    models: ["demo/offline"],
  });
  expect(read(place, xml)).toContain(
    '<testcase classname="crush-run" name="Review this change. Begin',
  );
}

test("the page has three pipelines, and nothing else that looks like one", () => {
  expect([GITHUB, GITLAB, SHELL].map((code) => code.split("\n", 1)[0])).toEqual([
    "yaml",
    "yaml",
    "sh",
  ]);
  expect(MORE).toEqual([]);
});

test("each step of the GitHub workflow does what the page says", async () => {
  await using place = project();
  const { jobs } = z.parse(githubJobs, parse(GITHUB.replace("yaml\n", "")));
  const outputs = new Map<string, string>();
  const ran: string[] = [];
  const printed = new Map<string, ShellEnd>();
  const summaries = new Map<string, string>();
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  const used = steps.flatMap((step) => ("uses" in step ? [step.uses] : []));
  expect(used.filter((action) => NOT_RUN[action] === undefined)).toEqual([]);
  for (const step of steps) {
    expect(CONDITIONS).toContain(step.if);
    if ("uses" in step) continue;
    // GitHub puts them into the script before any shell sees it.
    expect(step.run).not.toContain("${{");
    const files = {
      GITHUB_OUTPUT: place.write("../output", ""),
      GITHUB_STEP_SUMMARY: place.write("../summary", ""),
    };
    const env = Object.entries(step.env ?? {}).map(
      ([name, value]) => [name, evaluated(value, outputs)] as const,
    );
    const ended = await runScript(place, step.run, {
      ...files,
      GITHUB_ACTIONS: "true",
      RUNNER_TEMP: dirname(files.GITHUB_OUTPUT),
      ...Object.fromEntries(env),
    });
    expect([step.name, ended.status, ended.stderr]).toEqual([
      step.name,
      0,
      expect.not.stringMatching(/^(error|warning):/m),
    ]);
    for (const [name, value] of outputsOf(read(place, "../output")))
      outputs.set(`steps.${step.id}.outputs.${name}`, value);
    ran.push(step.name);
    printed.set(step.name, ended);
    summaries.set(step.name, read(place, "../summary"));
  }
  expect(ran).toEqual(["Install", "Review", "Judge"]);
  reviewed(place, "../review.json", "../review.xml");
  expect(printed.get("Review")?.stdout).toBe("");
  expect(summaries.get("Review")).toMatch(/^### crush run: completed\n/);
  expect(printed.get("Judge")?.stdout).toBe(
    "the review has ended: completed (end_turn)\nplease read the summary of this job\n",
  );
});

test("each line of the GitLab job does what the page says", async () => {
  await using place = project();
  const { review } = z.parse(gitlabJob, parse(GITLAB.replace("yaml\n", "")));
  const ended = await runScript(place, ["set -o pipefail", ...review.script].join("\n"), {
    GITLAB_CI: "true",
    CI_PROJECT_DIR: place.work,
    CI_MERGE_REQUEST_DIFF_BASE_SHA: "HEAD~1",
    ANTHROPIC_API_KEY: "sk-ant-not-a-key-0123456789",
  });
  expect([ended.status, ended.stderr]).toEqual([0, ""]);
  expect(ended.stdout).toContain("This is the offline demo model");
  expect(review.artifacts.paths).toEqual(["review.json"]);
  reviewed(place, "review.json", review.artifacts.reports.junit);
});

test("the plain shell script does what the page says, and its status is that of the run", async () => {
  await using place = project();
  const script = SHELL.replace("sh\n", "");
  const ended = await runScript(place, script, {});
  expect([ended.status, ended.stderr]).toEqual([0, ""]);
  expect(ended.stdout).toContain("This is the offline demo model");
  reviewed(place, "review.json", "review.xml");

  const limited = await runScript(place, script, { CRUSH_RUN_MAX_TURNS: "1" });
  expect(limited.status).toBe(6);
  expect(limited.stderr).toMatch(/^error: .*\nthe review took too much\n$/);
  expect(read(place, "review.xml")).toContain('<failure type="turns"');
});
