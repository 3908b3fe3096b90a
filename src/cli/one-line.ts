import { controlFilter } from "./control-filter.ts";

/** A text that others wrote, fit to stand in a line: without what a terminal would obey. */
export const oneLine = (text: string): string => controlFilter()(text.replace(/\s+/g, " ")).trim();
