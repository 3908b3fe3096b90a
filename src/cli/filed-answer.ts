import { RunAborted } from "../protocol/run-aborted.ts";
import type { RunRecord } from "../protocol/run-record.ts";
import { finalText } from "../run/run-stream.ts";
import type { Answer, AnswerOptions } from "./answer.ts";
import { controlFilter } from "./control-filter.ts";
import { jsonAnswer } from "./json-answer.ts";
import { junitWriter } from "./junit-writer.ts";
import { patience } from "./patience.ts";
import type { SideFile } from "./side-file.ts";
import { openSideFiles, type WantedFile } from "./side-files.ts";
import type { Stdout } from "./stdout.ts";
import { worst } from "./worse-ending.ts";

/** What a file is to carry. */
export type FileKind = "answer" | "junit" | "events";

export interface WantedRecord extends WantedFile {
  readonly kind: FileKind;
}

/** What is written of a run into one file, before the file is finished. */
type Writer = Pick<Answer, "know" | "tell" | "end">;

interface Filed {
  readonly file: SideFile;
  readonly writer: Writer;
  /** Its end is the whole content, and tells how everything ended: it is written again when that was not the last word. */
  readonly isDocument: boolean;
}

/** The events last: their last line then tells what became of the other files. */
const ORDER: readonly FileKind[] = ["answer", "junit", "events"];

/**
 * What a run writes to standard output, and to files beside it. The files are finished before the result is written to standard output, so
 * that the result tells the truth about them. Rejects with `usage` when a file cannot be written.
 */
export async function filedAnswer(
  inner: Answer,
  wanted: readonly WantedRecord[],
  { format, cancel, statusOf }: AnswerOptions,
): Promise<Answer> {
  const sorted = wanted.toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  const files = await openSideFiles(sorted, cancel);
  let killAfterMs = 0;
  const wait = patience(cancel, () => killAfterMs);
  const filed = files.map((file, at): Filed => {
    const kind = sorted[at]?.kind;
    if (kind === "events")
      return { file, writer: jsonAnswer("stream-json", paper(file), cancel), isDocument: false };
    if (kind === "junit")
      return { file, writer: junitWriter(file, wait), isDocument: file.isReplaced };
    if (format === "text") return { file, writer: textWriter(file, wait), isDocument: false };
    return { file, writer: jsonAnswer("json", paper(file), cancel), isDocument: file.isReplaced };
  });
  const takers: readonly Writer[] = [...filed.map(({ writer }) => writer), inner];
  let warnings: readonly string[] = [];
  const know: Answer["know"] = (facts) => {
    killAfterMs = facts.killAfterMs ?? killAfterMs;
    warnings = facts.warnings ?? warnings;
    for (const taker of takers) taker.know(facts);
  };
  return {
    mode: inner.mode,
    know,
    print: inner.print,
    tell: (event, progress) => {
      const told = takers.map((taker) => taker.tell(event, progress));
      const slow = told.filter((each) => each !== undefined);
      return slow.length === 0 ? undefined : all(slow);
    },
    end: async (first, firstCode) => {
      let end = first;
      let why: RunAborted | null = null;
      const code = (): number => (end === first ? firstCode : statusOf(end));
      const write = async ({ file, writer }: Filed): Promise<void> => {
        const givenUp = (await writer.end(end, code())) ?? (await wait(file.finish()));
        const failed = file.failed();
        const lost = failed === null ? givenUp : new RunAborted("output_write", failed);
        if (lost === null) return;
        const before = end;
        if (why === null && end.reason !== lost.reason) end = worst(end, lost);
        why ??= lost;
        if (end !== before || failed === null) return;
        // The run keeps the reason that it has, and the file is among its warnings.
        process.stderr.write(`warning: ${controlFilter()(failed.message)}\n`);
        know({ warnings: [...warnings, failed.message] });
      };
      for (const one of filed) await write(one);
      if (why !== null)
        for (const one of filed) if (one.isDocument && one.file.failed() === null) await write(one);
      for (const { file } of filed) file[Symbol.dispose]();
      return (await inner.end(end, code())) ?? why;
    },
  };
}

async function all(telling: readonly Promise<void>[]): Promise<void> {
  await Promise.all(telling);
}

const paper = (file: SideFile): Pick<Stdout, "write" | "isTty"> => ({
  isTty: false,
  write: file.write,
});

/** The form that standard output has in a pipe. */
function textWriter({ write }: SideFile, wait: ReturnType<typeof patience>): Writer {
  let record: RunRecord | null = null;
  return {
    know: (facts) => void (record = facts.record ?? record),
    tell: () => undefined,
    end: async () => await wait(write(record === null ? "" : finalText(record))),
  };
}
