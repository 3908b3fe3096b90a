import { RunFailed } from "../protocol/ending.ts";
import { htmlOf } from "../transcript/html.ts";
import { markdownOf } from "../transcript/markdown.ts";
import { controlFilter } from "./control-filter.ts";
import type { Flags } from "./flag-values.ts";
import { printOut } from "./print-out.ts";
import { openSideFiles } from "./side-files.ts";
import { timeLimit } from "./time-limit.ts";
import { withSessions } from "./with-sessions.ts";

const FORMATS = ["markdown", "html"] as const;
/** For the reader of a pipe to come. */
const WRITE_MS = 60_000;

/** `crush session export`: a session as a document, to standard output or to a file. */
export async function exportSession(typed: string, flags: Flags): Promise<number> {
  const path = flags.text("output-file");
  const named = flags.choice("format", FORMATS);
  const format = named ?? (/\.html?$/i.test(path ?? "") ? "html" : "markdown");
  return await withSessions(flags, async ({ find, archive, hash, clean }) => {
    const session = find(typed);
    const document = (format === "html" ? htmlOf : markdownOf)({
      session,
      messages: archive().messages.list(session.id),
      name: hash(session.id),
      clean: (text) => clean(controlFilter()(text)),
    });
    if (path === null) return await printOut(document);
    await writeTo(path, document);
    return 0;
  });
}

async function writeTo(path: string, document: string): Promise<void> {
  const signal = timeLimit(WRITE_MS, "start the reader of the pipe first, or name a file");
  const files = await openSideFiles([{ flag: "--output-file", path }], signal);
  for (const file of files) {
    using opened = file;
    await opened.write(document);
    await opened.finish();
    const lost = opened.failed();
    if (lost !== null) throw new RunFailed(lost);
  }
}
