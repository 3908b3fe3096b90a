import { runSummary } from "../agent/run-turn.ts";
import type { TurnSetup } from "../agent/turn-setup.ts";
import type { RunOutcome } from "../protocol/run-record.ts";
import type { Scope } from "../shared/scope.ts";
import type { StoredPrompt } from "../store/runs.ts";
import { conversationOf, turnPorts, type TurnDeps } from "./execute-turn.ts";

/** Has the conversation summarised for a `summary` that holds its session's slot. Rejects only when the store does. */
export async function executeSummary(
  deps: TurnDeps,
  setup: TurnSetup,
  prompt: StoredPrompt,
  scope: Scope,
): Promise<RunOutcome> {
  using ports = turnPorts(deps, setup, prompt, scope, () => []);
  return await runSummary(setup, ports, conversationOf(deps.store, prompt), scope.signal);
}
