import { crushPlace, type CrushOptions, type CrushPlace, type Ended } from "./crush.ts";
import { expect } from "vitest";
import { startFakeProvider } from "./fake-provider.ts";
import type { FakeToolCall } from "./fake-script.ts";

export type Document = Readonly<Record<string, unknown>>;

export interface Attempt {
  readonly ended: Ended;
  readonly result: Document;
  /** What the model was told of each call, by the order of the calls. */
  readonly told: string;
  readonly requests: number;
}

export const bash = (command: string): Omit<FakeToolCall, "id"> => ({
  name: "bash",
  input: { command },
});
export const view = (file_path: string): Omit<FakeToolCall, "id"> => ({
  name: "view",
  input: { file_path },
});
export const write = (file_path: string): Omit<FakeToolCall, "id"> => ({
  name: "write",
  input: { file_path, content: "new\n" },
});

/** A run in which the model makes these calls in one step and then says it is done. */
export async function attempt(
  args: readonly string[],
  calls: readonly Omit<FakeToolCall, "id">[],
  prepare: (place: CrushPlace) => CrushOptions | void = () => {},
): Promise<Attempt> {
  const toolCalls = calls.map((call, at) => ({ id: `call_${at + 1}`, ...call }));
  await using provider = await startFakeProvider(({ index }) =>
    index === 0 ? { text: "I try.", toolCalls } : { text: "Done." },
  );
  await using place = crushPlace({ provider });
  const options = prepare(place) ?? {};
  const ended = await place.run(["run", "--output", "json", ...args, "hi"], options);
  const last = provider.requests.at(-1);
  return {
    ended,
    result: JSON.parse(ended.stdout.toString()) as Document,
    told: last === undefined ? "" : JSON.stringify(last.body),
    requests: provider.requests.length,
  };
}

export const denial = (kind: string, rule: string, name = "bash"): Document => ({
  call_id: "call_1",
  name,
  kind,
  rule,
  remedy: expect.any(String) as string,
});
