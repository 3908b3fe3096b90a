import { controlFilter } from "./control-filter.ts";

/** What others wrote as one line of ours: without what a terminal would obey, or would turn the rest of the line round for. */
export const oneLine = (text: string): string =>
  controlFilter()(text.replace(/\s+/g, " "))
    .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "")
    .trim();
