import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { expect } from "vitest";
import type { CrushPlace, Ended } from "./crush.ts";

export interface Entry {
  readonly id: string;
  readonly uuid: string;
  readonly title: string;
}

/** The one line of JSON that a command prints. */
export async function asked<T>(place: CrushPlace, ...args: readonly string[]): Promise<T> {
  const ended = await place.run(["--json", ...args]);
  expect([ended.status, ended.stderr.toString()]).toEqual([0, ""]);
  expect(ended.stdout.toString()).toMatch(/^[^\n]*\n$/);
  return JSON.parse(ended.stdout.toString()) as T;
}

export const listed = async (place: CrushPlace): Promise<readonly Entry[]> =>
  await asked(place, "session", "list");

/** Runs one prompt in a session of its own, which is the first of the list then. */
export async function started(place: CrushPlace, prompt: string): Promise<Entry> {
  expect((await place.run(["run", prompt])).status).toBe(0);
  const found = (await listed(place)).find(({ title }) => title === prompt);
  if (found === undefined) throw new Error("it is not listed");
  return found;
}

/** Sets the clock of a session back. */
export function aged(place: CrushPlace, uuid: string, days: number): void {
  const database = new DatabaseSync(join(place.work, ".crush/crush-run.db"));
  database
    .prepare("UPDATE sessions SET updated_at = updated_at - ? WHERE id = ?")
    .run(days * 86_400, uuid);
  database.close();
}

export const said = ({ status, stdout }: Ended): [number | null, string] => [
  status,
  stdout.toString(),
];
