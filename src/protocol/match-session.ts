import { failure, RunFailed } from "./ending.ts";
import type { SessionId } from "./ids.ts";
import type { SessionHash } from "./session-hash.ts";

/** Digits of the short name that tell sessions apart in a message. */
const SHOWN = 12;
const MOST_SHOWN = 5;

/**
 * The one of the listed sessions whose short name is, or begins with, what was typed. protocol.md section 9.2; whoever asks has tried the full id
 * before. Throws `RunFailed` (`unknown_session`) when none or several do.
 */
export function matchSession(
  typed: string,
  ids: readonly SessionId[],
  hash: SessionHash,
): SessionId {
  const hashed = typed === "" ? [] : ids.map((id) => ({ id, name: hash(id) }));
  const matches = hashed.filter(({ name }) => name.startsWith(typed));
  const [only, ...others] = matches;
  if (only === undefined)
    throw unknown(`there is no session ${typed}`, "crush session list shows those that there are");
  if (others.length === 0) return only.id;
  const names = matches.slice(0, MOST_SHOWN).map(({ name }) => name.slice(0, SHOWN));
  const more = matches.length > MOST_SHOWN ? ", …" : "";
  throw unknown(
    `${typed} begins the ids of ${matches.length} sessions: ${names.join(", ")}${more}`,
    "say more of the id",
  );
}

const unknown = (message: string, remedy: string): RunFailed =>
  new RunFailed(failure("unknown_session", message, { remedy }));
