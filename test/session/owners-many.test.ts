import { expect, test } from "vitest";
import { bundledChild } from "../../scripts/many-processes/bundled-child.ts";
import { violationsIn } from "../../scripts/many-processes/check.ts";
import { figuresOf } from "../../scripts/many-processes/figures.ts";
import { playRound } from "../../scripts/many-processes/round.ts";

test.each([
  ["the same session", 1],
  ["several sessions", 4],
])(
  "two processes that are killed at random keep every promise in %s (npm run stress has more of them)",
  async (_where, sessions) => {
    using child = await bundledChild();
    const { program } = child;
    const wishes = { program, processes: 2, sessions, milliseconds: 2_500, seed: 7 };
    const { journals, records, kills, wrong } = await playRound(wishes);
    expect([...wrong, ...violationsIn(journals, records)]).toEqual([]);
    // It was no empty round.
    expect(kills).toBeGreaterThan(0);
    expect(figuresOf(journals, records)["terminal events"]).toBeGreaterThan(0);
  },
  60_000,
);
