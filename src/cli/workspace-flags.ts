import type { WorkspaceOptions } from "../client/client.ts";
import type { Flags } from "./flag-values.ts";
import { namedPath } from "./named-path.ts";
import { workingDirectory } from "./working-directory.ts";

/** The directory that the flags name, and the configuration that counts in it. Throws `usage`. */
export function workspaceFlags(flags: Flags): Required<WorkspaceOptions> {
  const configFile = flags.text("config");
  return {
    path: workingDirectory(flags.text("cwd")),
    dataDir: flags.text("data-dir"),
    trustConfig: flags.flag("trust-config") ?? false,
    isolated: flags.flag("isolated") ?? false,
    configFile: configFile === null ? null : namedPath("config", configFile),
  };
}
