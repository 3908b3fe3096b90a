import { failure, RunFailed, type RunFailure } from "../protocol/ending.ts";
import { decodeErrorBody } from "../protocol/error-body.ts";

/**
 * What a refusal means for whoever asked, whichever server it comes from (behaviour.md API-10):
 * `gone`: there is no such workspace, session or run (404); `busy`: not now, or not like this (409); `closing`: the workspace ends
 * (409), open it again; `shutting_down`: the server ends (503), try another; `refused`: anything else.
 */
export type RefusalKind = "gone" | "busy" | "closing" | "shutting_down" | "refused";

/** A server's answer that is no success. */
export class ServerRefused extends RunFailed {
  readonly kind: RefusalKind;
  readonly status: number;
  constructor(status: number, body: string) {
    const what = whatItMeans(status, decodeErrorBody(status, body));
    super(what);
    this.status = status;
    this.kind = kindOf(status, what);
  }
}

function kindOf(status: number, { reason, message }: RunFailure): RefusalKind {
  if (status === 404) return "gone";
  if (status === 503) return "shutting_down";
  if (status !== 409) return "refused";
  // A server that names no codes says it in words.
  return reason === "by_shutdown" || message.includes("workspace closing") ? "closing" : "busy";
}

/** A server that ends is no bug of its client, also when it names no code. */
const whatItMeans = (status: number, what: RunFailure): RunFailure =>
  status === 503 && what.reason === "internal"
    ? failure("provider_unavailable", what.message, {
        remedy: "start the server again, and try again",
        httpStatus: status,
      })
    : what;
