import type { Cancel } from "../protocol/cancel.ts";
import { isReason } from "../protocol/ending.ts";
import { clientIdOf } from "./given-id.ts";

/** Why and at whose wish something is to end: `{"reason"?, "client_id"?}`, or nothing, the plain cancel of every client. */
export function cancelOf(body: string): Cancel {
  const { reason, client_id: clientId } = fieldsOf(body);
  return {
    reason: isReason(reason) && reason !== "end_turn" ? reason : "by_client",
    by: clientIdOf(clientId),
  };
}

function fieldsOf(body: string): { readonly reason?: unknown; readonly client_id?: unknown } {
  try {
    return (JSON.parse(body) as object | null) ?? {};
  } catch {
    return {}; // a body that says nothing asks for nothing special
  }
}
