import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { crushPlace, type CrushPlace } from "../support/crush.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import { shell } from "../support/shell.ts";

/** Clears the screen, colours a word, sets the title; slow enough for a spinner. */
const HOSTILE = "\u001b[2Jone \u001b[31mtwo\u001b]0;title\u0007 three";

/** What a terminal of this size shows of `crush` with these arguments (both streams), and the status. */
async function onTerminal(
  place: CrushPlace,
  args: string,
  { rows, columns }: { rows: number; columns: number } = { rows: 24, columns: 80 },
): Promise<readonly [screen: string, status: number | null]> {
  const inside = `stty rows ${rows} cols ${columns}; exec "$CRUSH" ${args}`;
  const { stdout, status } = await shell(place, `script -qec '${inside}' /dev/null`, 8_000);
  return [stdout.replaceAll("\r\n", "\n"), status];
}

test("a terminal gets the text as it comes, without what would steer it, after a spinner that is gone", async () => {
  await using provider = await startFakeProvider({
    text: HOSTILE,
    chunks: 30,
    firstByteDelayMs: 400,
  });
  await using place = crushPlace({ provider });
  const [screen, status] = await onTerminal(place, "run hi");
  expect(status).toBe(0);
  expect(screen).toContain("waiting for fake/model");
  // Whatever the spinner drew is erased before, and the cursor is shown again.
  const answer = screen.split("\u001b[1G\u001b[0K\u001b[?25h").at(-1);
  expect(answer?.replace("\u001b[?25h", "")).toBe("one two three\n");

  const [raw] = await onTerminal(place, "run --raw --quiet hi");
  expect(raw).toBe(`${HOSTILE}\n`);
});

test("a terminal without a width gets no spinner, and the run ends", async () => {
  await using provider = await startFakeProvider({ text: HOSTILE, firstByteDelayMs: 400 });
  await using place = crushPlace({ provider });
  const ended = await onTerminal(place, "run hi", { rows: 0, columns: 0 });
  expect(ended).toEqual(["one two three\n", 0]);
});

test("a terminal on standard input is not read", async () => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  expect(await onTerminal(place, "run --quiet hi")).toEqual(["ok\n", 0]);
  const [screen, status] = await onTerminal(place, "run --quiet");
  expect([stripVTControlCharacters(screen), status]).toEqual([
    'error: there is no prompt (no_prompt); try: crush run "What is here?"\n',
    2,
  ]);
});

test("news on a terminal begins on a line of its own", async () => {
  await using provider = await startFakeProvider({ text: "no line end" });
  await using place = crushPlace({ provider });
  const [screen, status] = await onTerminal(place, "run -v hi");
  expect(status).toBe(0);
  expect(stripVTControlCharacters(screen)).toMatch(/^no line end\nstep ended /m);
});

test("a terminal that stands still holds a run no longer than its limits, and hears its signals", async () => {
  await using provider = await startFakeProvider({ text: "x".repeat(1_000_000), write: "64k" });
  await using place = crushPlace({ provider });
  place.write("limited", '"$CRUSH" run --kill-after 100ms --timeout 500ms hi; echo $? >one');
  place.write(
    "signalled",
    '"$CRUSH" run --kill-after 100ms hi & sleep 1; kill -TERM $!; wait $!; echo $? >two',
  );
  // Nobody reads what `script` reads from its terminals: they fill up.
  const { stdout } = await shell(
    place,
    `mkfifo stuck; exec 3<>stuck
    for each in limited signalled; do script -qec "bash $each" /dev/null >&3 & done
    for try in {1..80}; do [ -s one ] && [ -s two ] && break; sleep 0.1; done
    cat one two; kill -KILL $(jobs -p)`,
    15_000,
  );
  expect(stdout).toBe("124\n143\n");
});
