import type { StepPorts } from "./model-step.ts";
import type { TurnSetup } from "./turn-setup.ts";

/** What the model is told in each call of a turn, and what it may call: with the tool that takes the answer, where one does. */
export function briefingOf({
  system,
  tools,
  gates,
}: TurnSetup): Pick<StepPorts, "system" | "tools"> {
  const { answerTool = null, instructions = null } = gates ?? {};
  return {
    system: instructions === null ? system : `${system}\n\n${instructions}`,
    tools: answerTool === null ? tools : [...tools, answerTool],
  };
}
