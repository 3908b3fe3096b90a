import type { TurnSetup } from "../../src/agent/turn-setup.ts";
import type { SessionId } from "../../src/protocol/ids.ts";
import { textOf, type Message } from "../../src/protocol/message.ts";
import type { ModelCall } from "../../src/provider/language-model.ts";
import type { HouseOwner } from "./dispatch-house.ts";
import { finish, parts, toolCall, type FakeModel, type ModelStep } from "./fake-model.ts";
import { fakeTool } from "./fake-tool.ts";
import { turnSetup } from "./turn-setup.ts";

/** A window of 1000 tokens, of which 200 have to be left: 850 are too many. */
const FULL = { inputTokens: 800, outputTokens: 50 };
export const WINDOW = {
  contextWindow: 1000,
  tools: [fakeTool("look")],
} satisfies Partial<TurnSetup>;

export const looksAndFills = parts(toolCall({ name: "look" }), finish("tool_use", FULL));
export const saysAndFills = (text: string): ModelStep =>
  parts({ type: "text", text }, finish("end_turn", FULL));

/** A readiness that gives every prompt the same model, whose steps are played in the order of the calls. */
export const sharing =
  (model: FakeModel, more: Partial<TurnSetup> = {}) =>
  async (): Promise<TurnSetup> =>
    turnSetup(model, { ...WINDOW, ...more });

/** What a call shows its model, a line for each message. */
export const shown = (call: ModelCall | undefined): string[] =>
  (call?.messages ?? []).map((message) => `${message.role}: ${textOf(message)}`);

/** Role, `summary` for one, and how it ended. */
export const stored = (owner: HouseOwner, session: SessionId): string[] =>
  owner.store.messages.list(session).map((message) => {
    const role = message.isSummary === true ? "summary" : message.role;
    return role === "user" ? role : `${role} ${finishesOf(message).join()}`;
  });

const finishesOf = ({ parts: all }: Message): string[] =>
  all.flatMap((part) => (part.type === "finish" ? [part.reason] : []));

export const summaryOf = (owner: HouseOwner, session: SessionId): string | null =>
  owner.store.sessions.get(session)?.summaryMessageId ?? null;
