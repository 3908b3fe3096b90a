/**
 * The fake provider as a process of its own, for trying things by hand and for timing other programs:
 *
 *   tsx scripts/fake-provider.ts [--port N] ['{"text":"hello","chunks":20}' ...]
 *
 * Each argument is one step (test/support/fake-script.ts); a single one is used for every request. Prints its
 * URL; `GET /stamps` tells when each request came and when its last byte left (monotonic nanoseconds).
 */
import { parseArgs } from "node:util";
import { startFakeProvider } from "../test/support/fake-provider.ts";
import type { FakeStep } from "../test/support/fake-script.ts";

const { values, positionals } = parseArgs({
  options: { port: { type: "string" } },
  allowPositionals: true,
});
const steps = positionals.map((text) => JSON.parse(text) as FakeStep);
const provider = await startFakeProvider(steps.length > 1 ? steps : (steps[0] ?? { text: "hi" }), {
  port: Number(values.port ?? 0),
});
process.stdout.write(`${provider.url}\n`);
