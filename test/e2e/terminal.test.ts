import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { crushPlace, type CrushPlace } from "../support/crush.ts";
import { startFakeProvider } from "../support/fake-provider.ts";
import type { FakeStep } from "../support/fake-script.ts";
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
  const [screen, status] = await onTerminal(place, "run -v --progress=none hi");
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

/** What was drawn as a status line, frame after frame. */
const framesIn = (screen: string): string[] =>
  stripVTControlCharacters(screen)
    .split("\r")
    .filter((frame) => /^[\u2800-\u28ff] /.test(frame));

const SLOW_TOOL: FakeStep[] = [
  {
    text: "I shall look.",
    toolCalls: [{ id: "call_1", name: "bash", input: { command: "sleep 1.5" } }],
  },
  { text: "Nothing." },
];

test("the status line says phase and tool, time and tokens, comes back after text, and is gone at the end", async () => {
  await using provider = await startFakeProvider(SLOW_TOOL);
  await using place = crushPlace({ provider });
  const [screen, status] = await onTerminal(place, "run hi");
  expect(status).toBe(0);
  const frames = framesIn(screen);
  expect(frames.at(-1)).toMatch(/^. running bash · 1s · \d+ tokens$/);
  const [, after = ""] = screen.split("I shall look.");
  const last = after.slice(after.lastIndexOf("tokens") + "tokens".length);
  expect(stripVTControlCharacters(last)).toMatch(/^\r\n\nNothing\.\n$/);
  expect(last).toContain("\u001b[?25h"); // the cursor is shown again
});

test("no frame of the status line is wider than the terminal", async () => {
  await using provider = await startFakeProvider({ text: "ok", firstByteDelayMs: 600 });
  await using place = crushPlace({ provider });
  for (const columns of [10, 20, 200]) {
    const [screen, status] = await onTerminal(place, "run hi", { rows: 24, columns });
    const frames = framesIn(screen);
    expect([status, frames.length > 0]).toEqual([0, true]);
    for (const frame of frames) expect(frame.length).toBeLessThan(columns);
    expect(frames.some((frame) => frame.includes("fake/model · 0s"))).toBe(columns === 200);
  }
});

test("a run that is interrupted leaves a clean terminal with a cursor, and one in the background draws nothing", async () => {
  await using provider = await startFakeProvider({ neverHeaders: true });
  await using place = crushPlace({ provider });
  place.write("foreground", '(sleep 1.5; kill -INT $$) & exec "$CRUSH" run hi');
  place.write("background", '"$CRUSH" run hi & sleep 1.5; kill -INT $!; wait $!');
  const drawn = async (script: string): Promise<string> => {
    const inside = `stty rows 24 cols 80; bash -m ${script}`;
    return (await shell(place, `script -qec '${inside}' /dev/null`)).stdout;
  };
  const screen = await drawn("foreground");
  expect(framesIn(screen).length).toBeGreaterThan(0);
  expect(screen.lastIndexOf("\u001b[?25h")).toBeGreaterThan(screen.lastIndexOf("\u001b[?25l"));
  const end = screen.slice(screen.lastIndexOf("waiting for"));
  expect(end).toContain("\u001b[1G\u001b[0K\u001b[?25h"); // the line is erased
  expect(stripVTControlCharacters(end)).toMatch(
    /^waiting for fake\/model · \ds\rerror: .*\(signal\)/,
  );
  expect(framesIn(await drawn("background"))).toEqual([]);
});

test.each([
  ["NO_COLOR=1", false],
  ["FORCE_COLOR=1", true],
  ["TERM=dumb", false],
])("%s: the error line on a terminal is red: %s", async (setting, red) => {
  await using place = crushPlace();
  const inside = `env ${setting} "$CRUSH" run --no-stdin`;
  const { stdout } = await shell(place, `script -qec '${inside}' /dev/null`);
  expect(stdout.includes("\u001b[31merror:")).toBe(red);
});

test("--progress=plain tells a log at once and on a terminal too, and none tells nothing", async () => {
  await using provider = await startFakeProvider({ text: "ok", firstByteDelayMs: 800 });
  await using place = crushPlace({ provider });
  const plain = await place.run(["run", "--progress=plain", "hi"]);
  expect(plain.stderr.toString()).toMatch(
    /^waiting for (fake\/)?\S+( model)? for 0s; 0s in all, 0 tokens so far\n$/,
  );
  const env = { CRUSH_RUN_PROGRESS: "plain" };
  const quiet = await place.run(["run", "--progress", "auto", "hi"], { env });
  expect([quiet.stdout.toString(), quiet.stderr.toString()]).toEqual(["ok\n", ""]);
  const [onScreen] = await onTerminal(place, "run --progress=plain hi");
  expect(onScreen).toMatch(/^waiting for .* so far\nok\n$/);
  expect(await onTerminal(place, "run --progress=none hi")).toEqual(["ok\n", 0]);
});

test.each([
  [["--progress=loud"], "--progress", "use auto, plain or none"],
  [["--progress", "plain", "-q"], "--quiet and --progress=plain", "give one of them"],
])("%j is refused, and nothing is sent", async (args, flag, remedy) => {
  await using provider = await startFakeProvider({ text: "ok" });
  await using place = crushPlace({ provider });
  const ended = await place.run(["run", ...args, "hi"]);
  expect([ended.status, ended.stdout.toString(), provider.requests.length]).toEqual([2, "", 0]);
  expect(ended.stderr.toString()).toMatch(new RegExp(`^error: .*${flag}.*${remedy}`));
});
