/** At most this many: the specification is to be kept, not excused. */
export const MOST_EXCEPTIONS = 12;

/** Cases of docs/specification.md that cannot exist here, each with its reason. */
export const EXCEPTIONS: Readonly<Record<string, string>> = {
  "CAN-34": "there are no nested agents: no tool of ours starts a run of its own",
  "RUN-22": "there are no nested agents: no tool of ours starts a run of its own",
};
