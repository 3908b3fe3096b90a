import type { Journal, Timed } from "./journal.ts";
import type { Records, RunRow } from "./records.ts";

/** Everything that must not be, in sentences; empty when all promises were kept. */
export function violationsIn(journals: readonly Journal[], records: Records): string[] {
  return [
    ...saidByProcesses(journals),
    ...unsettled(records),
    ...unrecorded(journals, records),
    ...terminals(journals, records),
    ...overlaps(journals),
    ...disorder(journals, records),
    ...userMessages(records),
    ...interruptions(journals, records),
    ...cancels(journals, records),
  ];
}

type Of<Is extends Timed["is"]> = Extract<Timed, { readonly is: Is }>;

function entriesOf<Is extends Timed["is"]>(journal: Journal, is: Is): Of<Is>[] {
  return journal.entries.filter((entry): entry is Of<Is> => entry.is === is);
}

const saidByProcesses = (journals: readonly Journal[]): string[] =>
  journals.flatMap((journal) => [
    ...entriesOf(journal, "wrong").map(({ what }) => what),
    ...(journal.killedAt === null && entriesOf(journal, "left").length !== 1
      ? [`${journal.name} lived, and did not leave in order`]
      : []),
  ]);

/** Exactly one terminal record for each prompt, and none that says that the store failed. */
const unsettled = ({ runs }: Records): string[] =>
  runs.flatMap(({ seq, state, reason, outcome }) => {
    if (state !== "settled" || outcome === null || outcome.reason !== reason)
      return [`prompt ${seq} has no terminal record: ${state}, ${reason}`];
    return reason === "storage" || reason === "internal"
      ? [`prompt ${seq} ended by ${reason}`]
      : [];
  });

/** What was accepted is there, as it was accepted. */
function unrecorded(journals: readonly Journal[], { runs }: Records): string[] {
  const rows = new Map(runs.map((row) => [row.seq, row]));
  return journals.flatMap((journal) =>
    entriesOf(journal, "accepted").flatMap(({ seq, runId, prompt }) => {
      const row = rows.get(seq);
      const same = row?.runId === runId && row.prompt === prompt && row.owner === journal.owner;
      return same ? [] : [`prompt ${seq} (${prompt}) was accepted, and is not recorded so`];
    }),
  );
}

/** A process tells the end of a run once at most, and as it is recorded; its own, and those it attached to, always. */
function terminals(journals: readonly Journal[], { runs }: Records): string[] {
  const byRunId = new Map(runs.map((row) => [row.runId, row]));
  const wrong: string[] = [];
  for (const journal of journals) {
    const told = new Map<string, number>();
    for (const { runId, reason, cancelled, text } of entriesOf(journal, "told")) {
      if (runId === null) continue;
      told.set(runId, (told.get(runId) ?? 0) + 1);
      const outcome = byRunId.get(runId)?.outcome ?? null;
      const agrees =
        (outcome?.failure?.reason ?? null) === reason &&
        (outcome?.reason === "by_client") === cancelled &&
        outcome?.text === text;
      if (!agrees)
        wrong.push(`${journal.name} told ${reason} of ${runId}, recorded is ${outcome?.reason}`);
    }
    for (const [runId, times] of told)
      if (times > 1) wrong.push(`${journal.name} told the end of ${runId} ${times} times`);
    if (journal.killedAt !== null) continue;
    const mine = entriesOf(journal, "accepted").map(({ runId }) => runId);
    const attached = entriesOf(journal, "attached").filter(({ open }) => open);
    for (const runId of [...mine, ...attached.map((entry) => entry.runId)])
      if (runId !== null && !told.has(runId))
        wrong.push(`${journal.name} never told the end of ${runId}`);
  }
  return wrong;
}

/** No two model calls of a session at the same time, whichever processes make them. */
function overlaps(journals: readonly Journal[]): string[] {
  const bySession = new Map<string, { from: number; to: number; name: string }[]>();
  for (const journal of journals) {
    const ends = new Map(entriesOf(journal, "called").map(({ call, at }) => [call, at]));
    for (const { session, call, at } of entriesOf(journal, "calls")) {
      // A killed process was still at it when the signal was sent, as far as anybody knows.
      const to = ends.get(call) ?? journal.killedAt ?? at;
      bySession.set(session, [
        ...(bySession.get(session) ?? []),
        { from: at, to, name: journal.name },
      ]);
    }
  }
  return [...bySession].flatMap(([session, calls]) => {
    const sorted = calls.toSorted((a, b) => a.from - b.from);
    return sorted.flatMap((call, n) => {
      const before = sorted[n - 1];
      if (before === undefined || before.to <= call.from) return [];
      return [`${before.name} and ${call.name} called the model for ${session} at the same time`];
    });
  });
}

/** Turns of a session begin in the order in which their prompts were accepted. */
function disorder(journals: readonly Journal[], { runs }: Records): string[] {
  const seqOf = new Map(runs.map(({ prompt, seq }) => [prompt, seq]));
  const turns = journals
    .flatMap((journal) => entriesOf(journal, "turn"))
    .toSorted((a, b) => a.at - b.at);
  const last = new Map<string, number>();
  return turns.flatMap(({ session, prompt }) => {
    const seq = seqOf.get(prompt) ?? 0;
    const before = last.get(session) ?? 0;
    last.set(session, seq);
    return seq > before ? [] : [`the turn of prompt ${seq} began after that of ${before}`];
  });
}

/** What reached the model is in the history once; what did not, once at most. */
const userMessages = ({ runs, userMessages: said }: Records): string[] =>
  runs.flatMap(({ seq, prompt, reason }) => {
    const times = said.get(prompt) ?? 0;
    const fits = reason === "end_turn" ? times === 1 : times <= 1;
    return fits ? [] : [`prompt ${seq}, ended by ${reason}, has ${times} user messages`];
  });

/** `interrupted` is what killed processes left open, and nothing else. */
function interruptions(journals: readonly Journal[], { runs, owners }: Records): string[] {
  const alive = new Set(journals.filter((one) => one.killedAt === null).map((one) => one.owner));
  const wrong = runs
    .filter(({ owner, reason }) => reason === "interrupted" && alive.has(owner))
    .map(({ seq }) => `prompt ${seq} is interrupted, and its process lived`);
  return [...wrong, ...owners.map((file) => `${file} is left of a process that is gone`)];
}

/** A cancel ends what was accepted before it and nothing that came after; a cleared queue had not begun. */
function cancels(journals: readonly Journal[], { runs }: Records): string[] {
  const accepted = new Map(
    journals.flatMap((one) => entriesOf(one, "accepted").map((entry) => [entry.seq, entry])),
  );
  const wrong: string[] = [];
  for (const cancel of journals.flatMap((one) => entriesOf(one, "cancelled")))
    for (const row of runs) {
      const entry = accepted.get(row.seq);
      if (entry === undefined || row.session !== cancel.session) continue;
      const hit = row.outcome?.cancelledBy === cancel.by;
      if (hit && entry.asked > cancel.at)
        wrong.push(`prompt ${row.seq} was accepted after "${cancel.by}", which ended it`);
      if (hit && cancel.what === "queue" && row.startedAt !== null)
        wrong.push(`prompt ${row.seq} ran when "${cancel.by}" cleared the queue`);
      const covered = cancel.what === "session" && entry.at < cancel.asked;
      if (covered && beganAfter(row, cancel, journals))
        wrong.push(`the turn of prompt ${row.seq} began after "${cancel.by}"`);
    }
  return wrong;
}

/**
 * A prompt that had the slot already may still begin its turn until its process has heard of the cancel; all others must not, and
 * a turn that begins so much later did not have it.
 */
const HEARD_BY_MICROSECONDS = 1_000_000;

const beganAfter = (row: RunRow, cancel: Timed, journals: readonly Journal[]): boolean =>
  journals.some((one) =>
    entriesOf(one, "turn").some(
      ({ prompt, at }) => prompt === row.prompt && at > cancel.at + HEARD_BY_MICROSECONDS,
    ),
  );
