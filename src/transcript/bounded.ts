/** Of one tool's input or output, in characters. */
const MOST = 64 * 1024;
/** Of all of them together; what comes later is cut shorter. */
const ALL = 8 * 1024 * 1024;
const LEAST = 1024;

export interface Cut {
  readonly text: string;
  /** Characters that are left out. */
  readonly left: number;
}

/** Cuts the texts of tools, so that a page stays one that a browser opens. To be asked in their order. */
export function toolTexts(): (text: string) => Cut {
  let spent = 0;
  return (text) => {
    const cut = cutTo(text, spent < ALL ? MOST : LEAST);
    spent += cut.text.length;
    return cut;
  };
}

/** Never between the halves of a character. */
export function cutTo(text: string, most: number): Cut {
  if (text.length <= most) return { text, left: 0 };
  const last = text.charCodeAt(most - 1);
  const at = last >= 0xd800 && last <= 0xdbff ? most - 1 : most;
  return { text: text.slice(0, at), left: text.length - at };
}
