import type { Reason } from "../../src/protocol/ending.ts";
import { decide, type Command, type Effect, type SessionState } from "../../src/session/decide.ts";

/** What may happen to one session. `pick` chooses among the prompts, modulo their number. */
export type WorldStep =
  | { readonly do: "accept"; readonly owner: string; readonly foldable: boolean }
  | { readonly do: "ready" | "unready" | "finish"; readonly pick: number }
  | { readonly do: "cancel"; readonly owner: string; readonly reason: Reason }
  | {
      readonly do: "cancel_one";
      readonly owner: string;
      readonly pick: number;
      readonly reason: Reason;
    }
  /** The turn that runs, if one does, is about to call its model. */
  | { readonly do: "drain" }
  | { readonly do: "die" | "look" | "clear"; readonly owner: string };

interface Tracked {
  readonly seq: number;
  readonly owner: string;
  readonly foldable: boolean;
  /** The first cancel that was asked for while it was open. */
  flag: Reason | null;
  /** How often it left the session. */
  left: number;
  ready: boolean;
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
  /** Who was last to join a turn, in that turn. */
  #lastFold = 0;
  /** What the command that is being carried out may drop, cancelled or not. */
  #mayDrop = new Set<number>();

  run(step: WorldStep): void {
    if ("owner" in step && this.dead.has(step.owner)) return;
    switch (step.do) {
      case "accept":
        this.#accept(step);
        return;
      case "clear":
        for (const prompt of this.#open()) if (isWaiting(prompt)) this.#mayDrop.add(prompt.seq);
        this.#decide({ type: "clear", by: null }, step.owner);
        this.#must(
          this.#open().every((prompt) => !isWaiting(prompt)),
          "clear: something waits on",
        );
        return;
      case "drain": {
        const running = this.#open().find(({ started }) => started);
        if (running !== undefined && !this.dead.has(running.owner)) this.#drain(running);
        return;
      }
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
        if (step.do === "ready" && target.flag === null) target.ready = true;
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
        if (living.includes(owner)) this.#getReady(seq, owner);
      const [head] = this.#open();
      if (head?.started !== true || !living.includes(head.owner)) continue;
      head.left += 1;
      this.#decide({ type: "finish", seq: head.seq }, head.owner);
    }
  }

  #getReady(seq: number, owner: string): void {
    const prompt = this.all[seq - 1];
    if (prompt?.flag === null) prompt.ready = true;
    this.#decide({ type: "ready", seq }, owner);
  }

  #open(): Tracked[] {
    return this.all.filter(({ left }) => left === 0);
  }

  #accept({ owner, foldable }: Pick<Tracked, "owner" | "foldable">): void {
    const seq = this.all.length + 1;
    this.all.push({ seq, owner, foldable, flag: null, left: 0, ready: false, started: false });
    const entry = { seq, owner, phase: "reserved" as const, cancel: null, foldable };
    this.state = { ...this.state, prompts: [...this.state.prompts, entry] };
  }

  #drain({ seq, owner, flag }: Tracked): void {
    const waits = this.#open().filter(isWaiting);
    const fits = flag === null ? waits.filter((one) => one.foldable && one.owner === owner) : [];
    this.#lastFold = 0;
    this.#decide({ type: "drain", seq }, owner);
    const stayed = fits.filter(({ left }) => left === 0);
    this.#must(stayed.length === 0, `drain ${seq}: ${stayed.length} could have joined`);
  }

  #must(holds: boolean, what: string): void {
    if (!holds) this.broken.push(what);
  }

  #decide(command: Command, me: string): void {
    const [next, effects] = decide(this.state, command, me);
    this.state = next;
    for (const effect of effects) this.#carryOut(effect, me);
    this.#mayDrop.clear();
    this.#look(command);
  }

  #carryOut(effect: Effect, me: string): void {
    const prompt = this.all[effect.seq - 1];
    const must = (holds: boolean, what: string): void =>
      this.#must(holds, `${effect.type} ${effect.seq} for ${me}: ${what}`);
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
        must(
          prompt.flag === effect.cancel.reason || this.#mayDrop.has(prompt.seq),
          "I2: nobody asked for that",
        );
        must(!prompt.started, "it runs");
        prompt.left += 1;
        return;
      case "fold": {
        const into = this.all[effect.into - 1];
        must(into?.started === true && into.left === 0, "it joins what does not run");
        must(into?.flag === null, "it joins what is cancelled");
        must(prompt.owner === me && into?.owner === me, "I4: it is somebody else's");
        must(prompt.foldable, "it may not join");
        must(isWaiting(prompt), "it does not wait");
        must(prompt.flag === null, "I2: it was cancelled");
        must(prompt.seq > this.#lastFold, "INV-21: out of order");
        this.#lastFold = prompt.seq;
        prompt.left += 1;
        return;
      }
      case "settle_interrupted":
        must(this.dead.has(prompt.owner), "its owner lives");
        prompt.left += 1;
        return;
    }
  }

  #look(after: Command): void {
    const { prompts, mark } = this.state;
    const must = (holds: boolean, what: string): void =>
      this.#must(holds, `after ${JSON.stringify(after)}: ${what}`);
    const open = this.#open().map(({ seq }) => seq);
    must(prompts.map(({ seq }) => seq).join() === open.join(), "I3: open prompts differ");
    const phases = this.#open().map((one) =>
      one.started ? "active" : one.ready ? "queued" : "reserved",
    );
    must(prompts.map(({ phase }) => phase).join() === phases.join(), "phases differ");
    const active = prompts.filter(({ phase }) => phase === "active");
    must(active.length <= 1, "I1: two are active");
    must(active.length === 0 || active[0] === prompts[0], "I1: an earlier one waits");
    const flagged = prompts.filter(({ seq }) => this.all[seq - 1]?.flag !== null);
    must(!flagged.some(({ phase }) => phase === "queued"), "I2: a cancelled one waits on");
    must(mark === null || prompts.some(({ seq }) => seq <= mark.upTo), "a mark covers nothing");
  }
}

const isWaiting = ({ ready, started }: Tracked): boolean => ready && !started;
