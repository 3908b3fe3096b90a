import { expect } from "vitest";
import type { Reason } from "../../src/protocol/ending.ts";
import { crushPlace } from "./crush.ts";
import type { CrushOptions, Ended, WireFamily } from "./crush.ts";
import { startFakeProvider, type FakeScript } from "./fake-provider.ts";

/** One way for a run to end badly, and what the command makes of it. */
export interface EndingCase {
  readonly script: FakeScript;
  readonly family?: WireFamily;
  readonly args?: readonly string[];
  readonly env?: CrushOptions["env"];
  readonly reason: Tried;
  /** Requests that the provider gets. Default: one, and one for each retry. */
  readonly requests?: number;
  /** Announced on stderr; none by default. */
  readonly retries?: number;
  /** On standard output; nothing by default. `startOf`: any beginning of it, because the connection took the rest along. */
  readonly stdout?: string | { readonly startOf: string };
  /** Within the error line. */
  readonly says?: string;
}

/** The exit statuses as they are promised, written down once more: the table of the program is not its own judge. */
export const STATUS = {
  end_turn: 0,
  provider_error: 1,
  content_filter: 1,
  empty_output: 1,
  usage: 2,
  invalid_config: 2,
  unknown_model: 2,
  unknown_session: 2,
  unknown_run: 2,
  run_conflict: 2,
  no_prompt: 2,
  stdin_wait: 2,
  auth_missing: 4,
  auth_refused: 4,
  provider_unavailable: 5,
  session_busy: 5,
  turns: 6,
  tool_calls: 6,
  tokens: 6,
  cost: 6,
  output_tokens: 6,
  loop: 6,
  schema: 8,
  check_failed: 10,
  timeout: 124,
  idle_timeout: 124,
} as const satisfies Partial<Record<Reason, number>>;
export type Tried = keyof typeof STATUS;

/** What a caller of the executable sees. */
interface Seen {
  readonly status: unknown;
  readonly stdout: unknown;
  /** Lines. */
  readonly stderr: unknown;
}

/** By title, for `test.each`. */
export const titled = <T>(cases: Readonly<Record<string, T>>): [title: string, one: T][] =>
  Object.entries(cases);

/** Runs `crush run hi` against the script. To be compared with `endingOf` the same case. */
export async function runCase(one: EndingCase): Promise<Seen & { readonly requests: unknown }> {
  const { args = [], env = {}, family = "chat" } = one;
  await using provider = await startFakeProvider(one.script);
  await using place = crushPlace({ provider: { url: provider.url, family } });
  const ended = await place.run(["run", ...args, "hi"], { env, withinMs: 10_000 });
  return { ...seen(ended), requests: provider.requests.length };
}

export function endingOf(
  one: EndingCase,
): ReturnType<typeof seen> & { readonly requests: unknown } {
  const { reason, says, stdout = "", retries = 0, requests = retries + 1 } = one;
  const announced = Array.from({ length: retries }, (_, n) => retryLine(n + 1));
  const printed =
    typeof stdout === "string" ? stdout : (expect.toBeOneOf(beginnings(stdout.startOf)) as unknown);
  return { ...failed(reason, { says, stdout: printed, before: announced }), requests };
}

/** The texts of these tests hold no U+FFFD: equal strings are equal bytes. */
export function seen({ status, stdout, stderr }: Ended): Seen {
  const lines = stderr.toString().split("\n");
  return {
    status,
    stdout: stdout.toString(),
    stderr: lines.at(-1) === "" ? lines.slice(0, -1) : lines,
  };
}

export const succeeded = (stdout: string, stderr: readonly unknown[] = []): Seen => ({
  status: 0,
  stdout,
  stderr,
});

/** The status of the table, and one `error:` line with reason and remedy, the last on stderr. */
export const failed = (
  reason: Tried,
  more: { says?: string | undefined; stdout?: unknown; before?: readonly unknown[] } = {},
): Seen => ({
  status: STATUS[reason],
  stdout: more.stdout ?? "",
  stderr: [...(more.before ?? []), errorLine(reason, more.says ?? "")],
});

const errorLine = (reason: Reason, says: string): unknown => {
  const literally = says.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return expect.stringMatching(
    new RegExp(`^error: (?=.*${literally})\\S.* \\(${reason}\\); \\S.*$`),
  ) as unknown;
};

export const retryLine = (attempt: number, says = ""): unknown =>
  expect.stringMatching(
    new RegExp(`^retry ${attempt}/\\d+ in \\d+\\.\\d s: \\S.*${says}`),
  ) as unknown;

/** Every beginning of a text as it is printed: with a newline, or not at all. */
const beginnings = (text: string): string[] =>
  Array.from({ length: text.length + 1 }, (_, n) => (n === 0 ? "" : `${text.slice(0, n)}\n`));
