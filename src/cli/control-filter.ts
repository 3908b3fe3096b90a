/**
 * Where in a control sequence the text stands, after ECMA-48 and what every terminal's parser does. `ended`: the character was the last
 * of its sequence.
 */
type State = "ground" | "ended" | "escape" | "sequence" | "string" | "string_escape";

/** Everything but tab and newline that a terminal might obey. */
const CONTROL = /[^\P{Cc}\t\n]/u;
/** No sequence of use is longer (a link may have 2 KiB); one without end costs the answer no more than this. */
const LONGEST = 4096;

/**
 * Takes control sequences out of text that comes in chunks, so that an answer cannot steer the terminal it is printed on. How the
 * text is cut into chunks does not matter.
 */
export function controlFilter(): (chunk: string) => string {
  let state: State = "ground";
  let length = 0;
  return (chunk) => {
    if (length === 0 && !CONTROL.test(chunk)) return chunk;
    let kept = "";
    for (const unit of chunk) {
      state = next(length < LONGEST ? state : "ground", unit);
      length = state === "ground" || state === "ended" ? 0 : length + unit.length;
      if (state === "ground" && !CONTROL.test(unit)) kept += unit;
    }
    return kept;
  };
}

/** A character that does not belong to the sequence breaks it off and stands for itself. */
function next(state: State, unit: string): State {
  switch (state) {
    case "ground":
    case "ended":
      return opening(unit);
    case "escape":
    case "string_escape":
      if (unit === "[") return "sequence";
      if ("]PX^_".includes(unit)) return "string";
      if (isBetween(unit, " ", "/")) return "escape";
      return isBetween(unit, "0", "~") ? "ended" : opening(unit);
    case "sequence":
      if (isBetween(unit, " ", "?")) return "sequence";
      return isBetween(unit, "@", "~") ? "ended" : opening(unit);
    case "string":
      if (unit === "\u0007" || unit === "\u009c") return "ended";
      if (unit === "\u001b") return "string_escape";
      return unit === "\u0018" || unit === "\u001a" ? "ground" : "string";
  }
}

function opening(unit: string): State {
  if (unit === "\u001b") return "escape";
  if (unit === "\u009b") return "sequence";
  return "\u0090\u0098\u009d\u009e\u009f".includes(unit) ? "string" : "ground";
}

const isBetween = (unit: string, first: string, last: string): boolean =>
  unit >= first && unit <= last;
