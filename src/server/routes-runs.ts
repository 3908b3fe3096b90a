import type { Context } from "hono";
import { failure, RunFailed } from "../protocol/ending.ts";
import type { RunId } from "../protocol/ids.ts";
import { encodeRunRecord } from "../protocol/run-record.ts";
import type { AddRoute } from "./app.ts";
import { cancelOf } from "./cancel-body.ts";
import { workspaceOf, type ServerContext } from "./context.ts";
import { json } from "./reply.ts";

/** Runs as records: what became of a RunID can be asked for at any time. */
export function runRoutes(add: AddRoute, context: ServerContext): void {
  const base = "/workspaces/:id/runs";
  add("GET", base, (c) =>
    json(workspaceOf(context, c).dispatcher.recent(100).map(encodeRunRecord)),
  );
  add("GET", `${base}/:run`, (c) => {
    const record = workspaceOf(context, c).dispatcher.record(runId(c));
    if (record === null)
      throw new RunFailed(
        failure("unknown_run", `there is no run ${runId(c)}`, {
          remedy: "check the run id, --cwd and --data-dir",
        }),
      );
    return json(encodeRunRecord(record));
  });
  add("POST", `${base}/:run/cancel`, async (c) => {
    const { reason, by } = cancelOf(await c.req.text());
    return json({
      cancelled: workspaceOf(context, c).dispatcher.cancelRun(runId(c), reason, by),
    });
  });
}

const runId = (c: Context): RunId => (c.req.param("run") ?? "") as RunId;
