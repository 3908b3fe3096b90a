import { readFileSync } from "node:fs";
import ora from "ora";
import stringWidth from "string-width";
import { controlFilter } from "./control-filter.ts";
import { wantsColour } from "./colour.ts";

/** One line at the end of a terminal that says what goes on, and is gone when it is stopped. */
export interface StatusLine {
  /** Other text is about to be written where it stands, and has been. */
  clear(): void;
  render(): void;
  stop(): void;
}

const REFRESH_MS = 250;
/** Left of the text stands the spinner; a full last column makes some terminals go to the next line. */
const BESIDES = 3;
/** A number is shown when this much of the words before it can be seen. */
const LEAST_WORDS = 8;

/** `parts` says what is shown: words, which are cut to the width, and numbers, of which the last go first when there is no room. */
export function showStatusLine(
  stream: NodeJS.WriteStream,
  parts: () => readonly [string, ...string[]],
): StatusLine {
  const spinner = ora({
    stream,
    text: "",
    discardStdin: false,
    isEnabled: true,
    color: wantsColour(stream, process.env) ? "cyan" : false,
  });
  const refresh = (): void => {
    if (!isInForeground()) {
      spinner.stop();
      return;
    }
    const [words, ...numbers] = parts();
    spinner.text = `${fitted(controlFilter()(words), numbers, stream.columns - BESIDES)}\r`;
    if (!spinner.isSpinning) spinner.start();
  };
  /** A terminal that grows narrow may have wrapped the line: all of it stands at and below the cursor, which is left at its start. */
  const redraw = (): void => {
    if (spinner.isSpinning) {
      spinner.stop();
      stream.clearScreenDown();
    }
    refresh();
  };
  let resume: NodeJS.Timeout | undefined;
  const suspend = (): void => {
    // Ctrl-Z: the shell gets a clean terminal, and we are stopped as if we had not listened.
    spinner.stop();
    process.off("SIGTSTP", suspend);
    process.kill(process.pid, "SIGTSTP");
    resume = setTimeout(() => {
      process.on("SIGTSTP", suspend);
      refresh();
    });
  };
  process.on("SIGTSTP", suspend);
  stream.on("resize", redraw);
  const timer = setInterval(refresh, REFRESH_MS);
  refresh();
  return {
    clear: () => void spinner.clear(),
    render: () => void (spinner.isSpinning && spinner.render()),
    stop: () => {
      clearInterval(timer);
      clearTimeout(resume);
      process.off("SIGTSTP", suspend);
      stream.off("resize", redraw);
      spinner.stop();
    },
  };
}

/** Never wider than `width` columns. */
export function fitted(words: string, numbers: readonly string[], width: number): string {
  const shown = numbers.join("");
  const room = width - stringWidth(shown);
  if (room >= Math.min(LEAST_WORDS, stringWidth(words))) return cut(words, room) + shown;
  return numbers.length === 0 ? cut(words, width) : fitted(words, numbers.slice(0, -1), width);
}

function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = "";
  let columns = 1; // of the ellipsis
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    columns += stringWidth(segment);
    if (columns > width) break;
    kept += segment;
  }
  return width < 1 ? "" : `${kept}…`;
}

/** A job in the background would draw over the prompt of the shell. Known on Linux alone. */
function isInForeground(): boolean {
  try {
    const stat = readFileSync("/proc/self/stat", "utf8");
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(foreground) <= 0 || foreground === group;
  } catch {
    return true;
  }
}
