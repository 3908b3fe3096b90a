import type { TurnSetup } from "../agent/turn-setup.ts";
import { failure } from "../protocol/ending.ts";
import type { RunOutcome } from "../protocol/run-record.ts";
import type { Scope } from "../shared/scope.ts";
import type { StoredPrompt } from "../store/runs.ts";
import type { TurnDeps } from "./execute-turn.ts";
import { outcomeWithoutTurn } from "./outcome.ts";

export async function executeSummary(
  _deps: TurnDeps,
  _setup: TurnSetup,
  _prompt: StoredPrompt,
  _scope: Scope,
): Promise<RunOutcome> {
  return outcomeWithoutTurn(failure("internal", "summaries come next"));
}
