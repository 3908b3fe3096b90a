import { failure, RunFailed } from "../protocol/ending.ts";

export const unknownSession = (id: string): RunFailed =>
  new RunFailed(
    failure("unknown_session", `there is no session ${id}`, {
      remedy: "leave out --session to start a new one",
    }),
  );
