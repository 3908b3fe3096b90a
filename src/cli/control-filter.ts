import { stripVTControlCharacters } from "node:util";

/** A sequence that has begun and may go on in the next chunk: ESC, or ESC and an unfinished CSI, OSC or charset choice. */
// oxlint-disable-next-line no-control-regex
const UNFINISHED = /\u001b(?:[[(][0-9;:?<=>!"'#$%&*+,\-./ ]*|\][^\u0007\u001b]*)?$/;
/** Everything but tab and newline that a terminal might obey. */
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** No sequence of use is longer. */
const HOLD_AT_MOST = 256;

/**
 * Takes control sequences out of text that comes in chunks, so that an answer cannot steer the terminal it is printed on. A
 * sequence that is cut by a chunk's end is held back until the rest comes.
 */
export function controlFilter(): (chunk: string) => string {
  let held = "";
  return (chunk) => {
    const text = held + chunk;
    const rest = UNFINISHED.exec(text)?.[0] ?? "";
    held = rest.length <= HOLD_AT_MOST ? rest : "";
    const whole = held === "" ? text : text.slice(0, -held.length);
    return stripVTControlCharacters(whole).replace(CONTROLS, "");
  };
}
