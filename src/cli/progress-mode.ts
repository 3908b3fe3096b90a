/** What `--progress` may say. `auto`: a status line on a terminal, plain lines elsewhere. */
export const PROGRESS_MODES = ["auto", "plain", "none"] as const;
export type ProgressMode = (typeof PROGRESS_MODES)[number];
