import type { Reason } from "../../src/protocol/ending.ts";
import { decide, type Command, type Effect, type SessionState } from "../../src/session/decide.ts";

/** What may happen to one session. `pick` chooses among the prompts, modulo their number. */
export type WorldStep =
  | { readonly do: "accept"; readonly owner: string }
  | { readonly do: "ready" | "unready" | "finish"; readonly pick: number }
  | { readonly do: "cancel"; readonly owner: string; readonly reason: Reason }
  | {
      readonly do: "cancel_one";
      readonly owner: string;
      readonly pick: number;
      readonly reason: Reason;
    }
  | { readonly do: "die" | "look"; readonly owner: string };

interface Tracked {
  readonly seq: number;
  readonly owner: string;
  /** The first cancel that was asked for while it was open. */
  flag: Reason | null;
  /** How often it left the session. */
  left: number;
  started: boolean;
}

/**
 * The oracle of `decide`: every prompt carries a flag of its own, and nobody keeps a mark. What `decide` does otherwise than the
 * flags demand is written down in `broken`.
 */
export class DispatchWorld {
  state: SessionState = { prompts: [], mark: null };
  readonly all: Tracked[] = [];
  readonly dead = new Set<string>();
  readonly broken: string[] = [];

  run(step: WorldStep): void {
    if ("owner" in step && this.dead.has(step.owner)) return;
    switch (step.do) {
      case "accept":
        this.#accept(step.owner);
        return;
      case "die":
        this.dead.add(step.owner);
        return;
      case "look":
        this.#decide({ type: "look", dead: this.dead }, step.owner);
        return;
      case "cancel":
        for (const prompt of this.#open()) prompt.flag ??= step.reason;
        this.#decide({ type: "cancel", cancel: { reason: step.reason, by: null } }, step.owner);
        return;
      case "cancel_one": {
        const target = this.all[step.pick % Math.max(1, this.all.length)];
        if (target === undefined) return;
        if (target.left === 0) target.flag ??= step.reason;
        const { seq } = target;
        this.#decide(
          { type: "cancel_one", seq, cancel: { reason: step.reason, by: null } },
          step.owner,
        );
        return;
      }
      case "ready":
      case "unready":
      case "finish": {
        const living = this.#open().filter(({ owner }) => !this.dead.has(owner));
        const target = living[step.pick % Math.max(1, living.length)];
        if (target === undefined) return;
        if (step.do === "finish") target.left += 1;
        this.#decide({ type: step.do, seq: target.seq }, target.owner);
        return;
      }
    }
  }

  /** Everybody alive looks, gets ready, and finishes what it runs, until nothing is left to do. */
  quiesce(owners: readonly string[]): void {
    const living = owners.filter((owner) => !this.dead.has(owner));
    if (living.length === 0) return;
    for (let turn = 0; this.#open().length > 0 && turn <= this.all.length; turn += 1) {
      for (const owner of living) this.run({ do: "look", owner });
      for (const { seq, owner } of this.#open())
        if (living.includes(owner)) this.#decide({ type: "ready", seq }, owner);
      const [head] = this.#open();
      if (head?.started !== true || !living.includes(head.owner)) continue;
      head.left += 1;
      this.#decide({ type: "finish", seq: head.seq }, head.owner);
    }
  }

  #open(): Tracked[] {
    return this.all.filter(({ left }) => left === 0);
  }

  #accept(owner: string): void {
    const seq = this.all.length + 1;
    this.all.push({ seq, owner, flag: null, left: 0, started: false });
    const entry = { seq, owner, phase: "reserved" as const, cancel: null, foldable: false };
    this.state = { ...this.state, prompts: [...this.state.prompts, entry] };
  }

  #decide(command: Command, me: string): void {
    const [next, effects] = decide(this.state, command, me);
    this.state = next;
    for (const effect of effects) this.#carryOut(effect, me);
    this.#look(command);
  }

  #carryOut(effect: Effect, me: string): void {
    const prompt = this.all[effect.seq - 1];
    const must = (holds: boolean, what: string): void => {
      if (!holds) this.broken.push(`${effect.type} ${effect.seq} for ${me}: ${what}`);
    };
    if (prompt === undefined || prompt.left > 0) {
      must(false, "the prompt has left");
      return;
    }
    switch (effect.type) {
      case "start":
        must(prompt.owner === me, "I4: it is somebody else's");
        must(prompt.flag === null, "I2: it was cancelled");
        must(!prompt.started, "it runs already");
        must(this.#open()[0] === prompt, "I1: an earlier one is open");
        prompt.started = true;
        return;
      case "abort":
        must(prompt.owner === me, "it is somebody else's");
        must(prompt.flag === effect.cancel.reason, "I2: nobody asked for that");
        return;
      case "settle_cancelled":
        must(prompt.flag === effect.cancel.reason, "I2: nobody asked for that");
        prompt.left += 1;
        return;
      case "fold":
        must(false, "nothing here may be folded");
        return;
      case "settle_interrupted":
        must(this.dead.has(prompt.owner), "its owner lives");
        prompt.left += 1;
        return;
    }
  }

  #look(after: Command): void {
    const { prompts, mark } = this.state;
    const must = (holds: boolean, what: string): void => {
      if (!holds) this.broken.push(`after ${JSON.stringify(after)}: ${what}`);
    };
    const open = this.#open().map(({ seq }) => seq);
    must(prompts.map(({ seq }) => seq).join() === open.join(), "I3: open prompts differ");
    const active = prompts.filter(({ phase }) => phase === "active");
    must(active.length <= 1, "I1: two are active");
    must(active.length === 0 || active[0] === prompts[0], "I1: an earlier one waits");
    const flagged = prompts.filter(({ seq }) => this.all[seq - 1]?.flag !== null);
    must(!flagged.some(({ phase }) => phase === "queued"), "I2: a cancelled one waits on");
    must(mark === null || prompts.some(({ seq }) => seq <= mark.upTo), "a mark covers nothing");
  }
}
