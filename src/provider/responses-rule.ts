import { isJsonObject } from "../shared/json.ts";
import { faultOf } from "./call-errors.ts";
import { ENDS_NOW, PLAIN, word } from "./stream-rule.ts";
import type { StreamRule } from "./stream-rule.ts";

/** OpenAI's Responses API. */
export const responsesRule: StreamRule = {
  read(event) {
    switch (event["type"]) {
      case "response.output_text.delta":
      case "response.reasoning_summary_text.delta":
      case "response.function_call_arguments.delta": {
        const { type, item_id, output_index, content_index, summary_index, delta, logprobs } =
          event;
        if (typeof delta !== "string" || (Array.isArray(logprobs) && logprobs.length > 0))
          return PLAIN;
        const at = [type, item_id, output_index, content_index, summary_index].map(word).join(":");
        return { type: "piece", key: at, text: delta };
      }
      case "response.completed":
      case "response.incomplete":
        return ENDS_NOW;
      case "response.failed": {
        const { response } = event;
        const error = isJsonObject(response) ? response["error"] : null;
        return { type: "fault", fault: faultOf(error, "the provider reported a failed response") };
      }
      case "error": {
        const error = isJsonObject(event["error"]) ? event["error"] : { ...event, type: undefined };
        return { type: "fault", fault: faultOf(error, "the provider reported an error") };
      }
      case undefined:
        return event["error"] === undefined
          ? { type: "noise" }
          : { type: "fault", fault: faultOf(event["error"], "the provider reported an error") };
      default:
        return PLAIN;
    }
  },
  withText: (event, text) => ({ ...event, delta: text }),
};
