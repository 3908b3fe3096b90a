import yargs, { type Argv } from "yargs";
import { COMMON_FLAGS, RUN_FLAGS, SELF_FLAGS, WAIT_FLAGS } from "./flags.ts";

/** The help text of the program, or of one command. */
export async function helpText(command: string | null): Promise<string> {
  const help = yargs()
    .scriptName("crush")
    .usage("$0 <command>\n\nRuns one AI agent prompt with nobody watching.")
    .help(false)
    .version(false)
    .options({ ...COMMON_FLAGS, ...SELF_FLAGS })
    .command(["run [prompt..]", "r"], "Run one prompt and print the answer", (run) =>
      run
        .positional("prompt", { type: "string", array: true, describe: "What to do" })
        .options(RUN_FLAGS)
        .example('$0 run "What does this project do?"', "needs a key, or a running Ollama")
        .example('$0 run -m demo/offline "What is here?"', "needs neither")
        .example('git diff | $0 run "Review this"', "standard input comes before the words"),
    )
    .command(
      "models [filter]",
      "List the models that can be used, and why the others cannot",
      (models) =>
        models.positional("filter", { type: "string", describe: "Part of a name or provider" }),
    )
    .command("runs", "List the last runs of this directory")
    .command("show [run-id]", "Tell what became of a run", withRunId)
    .command("wait [run-id]", "Wait for a run and end with its exit status", (wait) =>
      withRunId(wait).options(WAIT_FLAGS),
    )
    .command("attach [run-id]", "Wait for a run, print its answer, end with its status", (attach) =>
      withRunId(attach).options(WAIT_FLAGS),
    )
    .command("cancel [run-id]", "Cancel a run, in whatever process it goes on", withRunId)
    .exitProcess(false)
    .wrap(100);
  if (command !== null) await help.parse([command]);
  return await help.getHelp();
}

const withRunId = (command: Argv): Argv =>
  command.positional("run-id", {
    type: "string",
    describe: "As crush runs or crush run -v tells it",
  });
