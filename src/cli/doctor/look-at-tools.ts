import { runInGroup } from "../../tools/process-group.ts";
import { ripgrepPath } from "../../tools/ripgrep-path.ts";
import { fine, note, warning, type DoctorFinding } from "./finding.ts";

/** Where and how the programs are started. */
export interface ToolPlace {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

const START_MS = 3_000;

/** The programs that tools start. Without them a run works, and some of its tools do not. */
export async function lookAtTools(
  place: ToolPlace,
  signal: AbortSignal,
): Promise<readonly DoctorFinding[]> {
  const ask = async (file: string, ...args: readonly string[]): Promise<string | null> =>
    await firstLineOf(file, args, place, signal);
  const path = ripgrepPath();
  const [ripgrep, bash, sh, git, bubblewrap] = await Promise.all([
    ask(path, "--version"),
    ask("bash", "--version"),
    ask("sh", "-c", "echo sh"),
    ask("git", "--version"),
    ask("bwrap", "--version"),
  ]);
  return [
    ripgrep !== null
      ? fine("ripgrep", `${ripgrep} (${path === "rg" ? "from PATH" : "of the package"})`)
      : warning(
          "ripgrep",
          `${path} does not run, so the grep tool does not work`,
          "install crush-run anew, with its optional dependencies, or put rg on PATH",
        ),
    shell(bash, sh),
    git === null
      ? note("git", "not found: runs do without it, the model's commands may want it")
      : fine("git", git),
    note(
      "sandbox",
      bubblewrap === null
        ? "none: commands of the model run with your rights; for strangers' code use a container"
        : `${bubblewrap} is there; this version does not use it: commands of the model run with your rights`,
    ),
  ];
}

function shell(bash: string | null, sh: string | null): DoctorFinding {
  if (sh === null)
    return warning("shell", "sh does not run, so the bash tool does not work", "put sh on PATH");
  return bash === null
    ? warning("shell", "no bash: the bash tool uses sh", "install bash if commands need it")
    : fine("shell", bash);
}

/** Null when it cannot be started, fails or does not end. */
async function firstLineOf(
  file: string,
  args: readonly string[],
  { cwd, env }: ToolPlace,
  signal: AbortSignal,
): Promise<string | null> {
  const end = await runInGroup({
    file,
    args,
    cwd,
    env,
    timeLimitMs: START_MS,
    keepHead: 4096,
    keepTail: 0,
    onProgress: () => {},
    signal,
  });
  if (end.type === "not_started" || end.exitCode !== 0) return null;
  return (
    end.stdout
      .text(() => "")
      .text.split("\n")[0]
      ?.trim() ?? ""
  );
}
