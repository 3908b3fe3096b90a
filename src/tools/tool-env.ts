type Env = Readonly<Record<string, string | undefined>>;

/** Nobody can answer: whatever would ask, page, colour or open an editor must fail or go on by itself. */
const UNATTENDED = {
  CI: "1",
  DEBIAN_FRONTEND: "noninteractive",
  GIT_TERMINAL_PROMPT: "0",
  GH_PROMPT_DISABLED: "1",
  PAGER: "cat",
  GIT_PAGER: "cat",
  EDITOR: "true",
  VISUAL: "true",
  GIT_EDITOR: "true",
  TERM: "dumb",
  NO_COLOR: "1",
  // Asks for a passphrase in a window, else.
  SSH_ASKPASS: "false",
  SSH_ASKPASS_REQUIRE: "never",
} as const;

/** By these a program can tell that an agent started it. */
const IDENTITY = { CRUSH: "1", AGENT: "crush", AI_AGENT: "crush" } as const;

/** By these files a step of GitHub Actions gives variables, paths and outputs to the steps after it: that is for the step, not its agent. */
const STEP_FILES = [
  "GITHUB_ENV",
  "GITHUB_PATH",
  "GITHUB_OUTPUT",
  "GITHUB_STATE",
  "GITHUB_STEP_SUMMARY",
] as const;

/**
 * The environment for tools: ours, without provider keys (by name, and by value wherever else one stands),
 * without our own `CRUSH_RUN_*` settings and the files of a CI step, with everything that keeps a command from waiting for a
 * person, and with the id of the run, and the mark by which `sweepRun` finds what it has started. `extra` is `env` of the
 * configuration: it wins over all but these, but brings no secret back.
 */
export function toolEnvironment(
  env: Env,
  options: {
    readonly secretEnvNames: readonly string[];
    readonly secrets: readonly string[];
    readonly extra: Readonly<Record<string, string>>;
    readonly runId: string;
    readonly mark: string;
    /** The run may change nothing. */
    readonly readsOnly?: boolean;
  },
): Record<string, string> {
  const names = new Set<string>([...options.secretEnvNames, ...STEP_FILES]);
  const secrets = new Set(options.secrets.filter((secret) => secret !== ""));
  const scrubbed = (from: Env): Record<string, string> => {
    const kept: Record<string, string> = {};
    for (const [name, value] of Object.entries(from)) {
      if (value === undefined || names.has(name) || secrets.has(value)) continue;
      if (!name.startsWith("CRUSH_RUN_")) kept[name] = value;
    }
    return kept;
  };
  const inherited = scrubbed(env);
  // Both would overrule NO_COLOR, and Node warns on stderr when it sees them together.
  delete inherited["FORCE_COLOR"];
  delete inherited["CLICOLOR_FORCE"];
  const wanted = scrubbed(options.extra);
  return {
    ...inherited,
    ...UNATTENDED,
    ...gitSettings(inherited),
    ...wanted,
    ...(options.readsOnly === true ? withoutBareRepositories({ ...inherited, ...wanted }) : {}),
    ...IDENTITY,
    CRUSH_RUN_ID: options.runId,
    CRUSH_RUN_MARK: options.mark,
  };
}

/**
 * A bare repository that lies in a project as ordinary files names commands that git carries out for a mere `git log` in it: git takes
 * none then that nobody has named. Counted on behind the settings that are there.
 */
function withoutBareRepositories(env: Readonly<Record<string, string>>) {
  const before = Number(env["GIT_CONFIG_COUNT"] ?? 0);
  const at = Number.isSafeInteger(before) && before > 0 ? before : 0;
  return {
    GIT_CONFIG_COUNT: String(at + 1),
    [`GIT_CONFIG_KEY_${at}`]: "safe.bareRepository",
    [`GIT_CONFIG_VALUE_${at}`]: "explicit",
  };
}

function gitSettings(inherited: Readonly<Record<string, string>>): Record<string, string> {
  // A helper that was set up for CI answers by itself; the one of an editor's terminal asks in a window.
  const windowed = Object.keys(inherited).some((name) => name.startsWith("VSCODE_GIT_ASKPASS"));
  const askpass = windowed ? undefined : inherited["GIT_ASKPASS"];
  return {
    GIT_ASKPASS: askpass ?? "false",
    GIT_SSH_COMMAND: inherited["GIT_SSH_COMMAND"] ?? "ssh -oBatchMode=yes",
  };
}
