/** When each step of one prompt happened, in milliseconds of one clock. */
export interface PromptTimes {
  acceptedAt: number;
  calledAt: number;
  modelEndedAt: number;
  toldAt: number;
}

/** Something that takes prompts, calls a model for each, and tells the end. */
export interface LaneSubject extends AsyncDisposable {
  /** A session of its own for a lane. */
  session(): string;
  /** Accepts a prompt; resolves when its terminal event was told. Its model ends as soon as `think` resolves. */
  ask(session: string, think: () => Promise<void>): Promise<PromptTimes>;
}

export interface LaneFigures {
  readonly perSecond: number;
  /** Accept to start of the model call. */
  readonly startMs: readonly number[];
  /** Model end to terminal event. */
  readonly endMs: readonly number[];
}

/** How `lanes` sessions, each with one prompt open at most, send `prompts` prompts in all. */
export type Drive = (subject: LaneSubject, lanes: number, prompts: number) => Promise<LaneFigures>;

/** A history grows with its session, and its length is no matter of dispatch: a lane takes a fresh one after so many prompts. */
const PROMPTS_OF_SESSION = 10;

const nextTurn = async (): Promise<void> =>
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });

/**
 * A closed loop: each session sends its next prompt one turn of the event loop after the last one ended, and the model needs one
 * such turn, so that all of them are at it all the time. How they begin, all at once, is not counted: `bursts` shows that.
 */
export const closedLoop: Drive = async (subject, lanes, prompts) => {
  const all: PromptTimes[] = [];
  let left = prompts;
  let began = performance.now();
  const lane = async (): Promise<void> => {
    let session = subject.session();
    await subject.ask(session, nextTurn);
    if (left === prompts) began = performance.now();
    for (let n = 2; left > 0; n += 1) {
      left -= 1;
      await nextTurn();
      all.push(await subject.ask(session, nextTurn));
      if (n % PROMPTS_OF_SESSION === 0) session = subject.session();
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return figuresOf(all, performance.now() - began);
};

/** The worst moment: all sessions send their prompt in the same turn of the event loop, and all models end in the same one. */
export const bursts: Drive = async (subject, lanes, prompts) => {
  const all: PromptTimes[] = [];
  let tookMs = 0;
  for (let n = 0; n < Math.max(1, prompts / lanes); n += 1) {
    const sessions = Array.from({ length: lanes }, () => subject.session());
    await nextTurn();
    const began = performance.now();
    let thinking = 0;
    let endedAt = 0;
    const ends: (() => void)[] = [];
    const think = async (): Promise<void> =>
      await new Promise<void>((resolve) => {
        ends.push(resolve);
        thinking += 1;
        if (thinking < lanes) return;
        setImmediate(() => {
          endedAt = performance.now();
          for (const end of ends) end();
        });
      });
    const told = await Promise.all(sessions.map(async (one) => await subject.ask(one, think)));
    tookMs += performance.now() - began;
    all.push(...told.map((times) => ({ ...times, modelEndedAt: endedAt })));
  }
  return figuresOf(all, tookMs);
};

const figuresOf = (all: readonly PromptTimes[], tookMs: number): LaneFigures => ({
  perSecond: (all.length * 1000) / tookMs,
  startMs: all.map(({ calledAt, acceptedAt }) => calledAt - acceptedAt),
  endMs: all.map(({ toldAt, modelEndedAt }) => toldAt - modelEndedAt),
});

/** The value below which `share` of them lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
