/** One workflow command of GitHub Actions, with its line feed. */
export function workflowCommand(
  name: string,
  message: string,
  properties: Readonly<Record<string, string>> = {},
): string {
  const told = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(value)}`);
  return `::${[name, told.join(",")].filter((part) => part !== "").join(" ")}::${escapeData(message)}\n`;
}

const escapeData = (text: string): string =>
  text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

const escapeProperty = (text: string): string =>
  escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");

/** Looks at a text that comes in chunks for lines that a runner could take for commands. */
export interface CommandWatch {
  see(text: string): void;
  found(): boolean;
}

/**
 * A runner takes `::name …::` for a command at the beginning of a line, behind white space, and `##[name …]` anywhere in it. Its
 * comparison passes over characters that are not shown, so this does too. Rather too strict: a line that only looks like one counts.
 */
export function commandWatch(): CommandWatch {
  let isFound = false;
  let isAtStart = true;
  /** What has come of the line, as far as it can still become the beginning of a command. */
  let open = "";
  const seeOnLine = (part: string): void => {
    const seen = open + part.replace(UNSEEN, "");
    const behindSpace = seen.replace(/^\s+/, "");
    if (seen.includes("##[") || (isAtStart && behindSpace.startsWith("::"))) isFound = true;
    isAtStart &&= behindSpace.length < 2;
    open = isAtStart ? behindSpace : seen.slice(-2);
  };
  return {
    see: (text) => {
      for (const [at, part] of text.split(/[\r\n]/).entries()) {
        if (isFound) return;
        if (at > 0) [open, isAtStart] = ["", true];
        seeOnLine(part);
      }
    },
    found: () => isFound,
  };
}

/** Controls, formats and marks; the white space among the controls as well, which stands for nothing in the middle of a line. */
const UNSEEN = /[\p{C}\p{M}]/gu;
