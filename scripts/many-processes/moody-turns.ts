import { failure, RunFailed } from "../../src/protocol/ending.ts";
import { textOf } from "../../src/protocol/message.ts";
import { NO_USAGE } from "../../src/protocol/usage.ts";
import {
  ModelCallFailed,
  type LanguageModel,
  type StepPart,
} from "../../src/provider/language-model.ts";
import type { PrepareTurn } from "../../src/session/prepare-turn.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { turnSetup } from "../../test/support/turn-setup.ts";
import type { Chance } from "./chance.ts";
import type { Entry } from "./journal.ts";

/** Readiness that takes its time or fails, and models that answer, call a tool first, break or stall. */
export function moodyTurns(chance: Chance, say: (entry: Entry) => void): PrepareTurn {
  let calls = 0;
  const modelOf = (session: string): LanguageModel => ({
    ref: "fake/moody",
    stream: async function* (call, signal) {
      const number = (calls += 1);
      say({ is: "calls", session, call: number });
      try {
        const mood = chance.weighed({ quick: 55, slow: 25, tool: 12, broken: 5, stalled: 3 });
        if (mood === "slow") await systemClock.sleep(chance.next() * 30, signal);
        if (mood === "stalled") await systemClock.sleep(chance.next() * 300, signal);
        if (mood === "broken") throw brokenCall();
        const last = call.messages.findLast(({ role }) => role === "user");
        yield { type: "text", text: `re: ${last === undefined ? "" : textOf(last)}` };
        await systemClock.sleep(0, signal);
        if (mood === "tool") yield toolCall(number);
        const reason = mood === "tool" ? "tool_use" : "end_turn";
        yield { type: "finish", reason, usage: NO_USAGE };
      } finally {
        say({ is: "called", session, call: number });
      }
    },
  });
  return async ({ sessionId, options }, signal) => {
    if (chance.next() < 0.4) await systemClock.sleep(chance.next() * 10, signal);
    if (chance.next() < 0.03) throw new RunFailed(failure("unknown_model", "no such model"));
    const setup = turnSetup(modelOf(sessionId));
    return { ...setup, limits: { ...setup.limits, retries: options.retries ?? 0 } };
  };
}

/** There is no such tool: the model hears that, and is called again. */
const toolCall = (number: number): StepPart => ({
  type: "tool_call",
  id: `call-${number}`,
  name: "nothing",
  input: "{}",
});

const brokenCall = (): ModelCallFailed =>
  new ModelCallFailed(failure("provider_error", "it broke", { provider: "fake" }), {
    retryable: false,
    retryAfterMs: null,
  });
