import { failure, RunFailed, type RunFailure } from "../protocol/ending.ts";

/** A request that is refused with a status of its own, whatever the reason's usual one is. */
export class Refused extends RunFailed {
  readonly status: number;
  constructor(status: number, what: RunFailure) {
    super(what);
    this.status = status;
  }
}

export const workspaceNotFound = (): Refused =>
  new Refused(404, failure("usage", "workspace not found"));

export const retired = (): Refused =>
  new Refused(
    409,
    failure("usage", "client has been retired", { remedy: "use a fresh client id" }),
  );

export const shuttingDown = (): Refused =>
  new Refused(
    503,
    failure("by_shutdown", "server is shutting down", { remedy: "start it again, and try again" }),
  );

export const tooLarge = (limitBytes: number): Refused =>
  new Refused(
    413,
    failure("usage", `the request is larger than ${limitBytes} bytes`, { remedy: "send less" }),
  );

/** The workspace shows what was run in it, and runs nothing itself. */
export const noAgent = (): Refused =>
  new Refused(
    400,
    failure("invalid_config", "agent not initialised", {
      remedy: "check the configuration of the workspace",
    }),
  );
