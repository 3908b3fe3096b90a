import { isJsonObject } from "../shared/json.ts";
import type { JsonObject } from "../shared/json.ts";
import { faultOf } from "./call-errors.ts";
import { ENDS_NOW, PLAIN, word } from "./stream-rule.ts";
import type { StreamRule } from "./stream-rule.ts";

/** The member of each kind of delta that carries its text. */
const TEXT_OF: Readonly<Record<string, string>> = {
  text_delta: "text",
  thinking_delta: "thinking",
  input_json_delta: "partial_json",
};

/** Anthropic's Messages API. */
export const anthropicRule: StreamRule = {
  read(event) {
    switch (event["type"]) {
      case "content_block_delta": {
        const { delta, index } = event;
        const kind = isJsonObject(delta) ? word(delta["type"]) : "";
        const text = (delta as JsonObject | undefined)?.[TEXT_OF[kind] ?? ""];
        return typeof text === "string"
          ? { type: "piece", key: `${kind}:${word(index)}`, text }
          : PLAIN;
      }
      case "message_stop":
        return ENDS_NOW;
      case "ping":
        return { type: "noise" };
      case "error":
        return {
          type: "fault",
          fault: faultOf(event["error"], "the provider reported an error"),
        };
      case undefined:
        return event["error"] === undefined
          ? { type: "noise" }
          : { type: "fault", fault: faultOf(event["error"], "the provider reported an error") };
      default:
        return PLAIN;
    }
  },
  withText(event, text) {
    const delta = event["delta"] as JsonObject;
    return { ...event, delta: { ...delta, [TEXT_OF[word(delta["type"])] ?? ""]: text } };
  },
};
