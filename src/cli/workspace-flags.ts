import type { WorkspaceOptions } from "../client/client.ts";
import type { Flags } from "./flag-values.ts";
import { namedPath } from "./named-path.ts";
import { usage } from "./usage.ts";
import { workingDirectory } from "./working-directory.ts";

/** The directory that the flags name, and the configuration that counts in it. Throws `usage`. */
export function workspaceFlags(flags: Flags): Required<WorkspaceOptions> {
  const configFile = flags.text("config");
  const dataDir = flags.text("data-dir");
  if (dataDir === "") throw usage("--data-dir is empty", "name a directory, or leave it out");
  return {
    path: workingDirectory(flags),
    dataDir,
    trustConfig: flags.flag("trust-config") ?? false,
    isolated: flags.flag("isolated") ?? false,
    configFile: configFile === null ? null : namedPath("config", configFile),
  };
}
