import { isJsonObject, type Json } from "../shared/json.ts";
import { failure, isReason, type RunFailure } from "./ending.ts";

/** `{"message": …}` as every client of the wire knows it, with our machine-readable fields beside it. */
export function encodeErrorBody(what: RunFailure): Json {
  return { message: what.message, code: what.reason, remedy: what.remedy };
}

/** What a refused request said; where the body says nothing usable, its status. */
export function decodeErrorBody(status: number, body: string): RunFailure {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    parsed = null; // not JSON: the status is all we know (API-4)
  }
  const message =
    isJsonObject(parsed) && typeof parsed["message"] === "string" ? parsed["message"] : "";
  const text = `the server answered with status code ${status}${message === "" ? "" : `: ${message}`}`;
  if (isJsonObject(parsed) && isReason(parsed["code"]) && parsed["code"] !== "end_turn") {
    const remedy = typeof parsed["remedy"] === "string" ? parsed["remedy"] : null;
    return failure(parsed["code"], message === "" ? text : message, { remedy });
  }
  return failure(status >= 500 ? "internal" : "usage", text, { httpStatus: status });
}
