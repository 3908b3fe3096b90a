import type { DryRunDocument } from "./dry-run-document.ts";

/** What a run would send, for a person. */
export function dryRunText(dry: DryRunDocument): string {
  const { provider, model, attachments, estimated_tokens: tokens } = dry;
  const settings = (values: object): string =>
    Object.entries(values)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
      .join(", ") || "none";
  const window = dry.context_window === null ? "" : ` of ${dry.context_window}`;
  const rows: readonly (readonly [string, string])[] = [
    ["model", model ?? "not known"],
    ["provider", `${provider.id} (${provider.type})`],
    ["server", provider.server ?? "none, or not known"],
    ["key", provider.key.replace("_", " ")],
    ["parameters", settings(dry.parameters)],
    ["session", dry.session_id ?? "a new one"],
    ["limits", settings(Object(dry.limits))],
    ["options", settings(Object(dry.options))],
    [
      "tokens",
      `about ${tokens.total}${window}: system ${tokens.system}, tools ${tokens.tools}, conversation ${tokens.conversation}, prompt ${tokens.prompt}`,
    ],
    ["directory", dry.cwd],
    ["data", dry.data_directory],
    ["config", dry.config_sources.join(", ") || "no file"],
    ["tools", dry.tools.map(({ name }) => name).join(", ") || "none"],
    ...attachments.map(
      ({ path, mime_type, bytes }) =>
        ["attached", `${path} (${mime_type}, ${bytes} bytes)`] as const,
    ),
    ...dry.unknown.map((what) => ["not known", what] as const),
  ];
  return [
    "A dry run: nothing was sent.\n\n",
    ...rows.map(([name, value]) => `${name.padEnd(10)} ${value}\n`),
    `\n--- system prompt\n${dry.system}\n`,
    `\n--- prompt\n${dry.prompt}\n`,
  ].join("");
}
