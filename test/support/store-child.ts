/**
 * A process of its own with a store, for tests of several processes: `tsx store-child.ts DIRECTORY`. Says `ready` on standard output, then
 * does what each line on standard input asks for, and answers each with one line.
 */
import { createInterface } from "node:readline";
import { newMessageId, newSessionId } from "../../src/protocol/ids.ts";
import { openStore, type Store } from "../../src/store/store.ts";

const [directory = ""] = process.argv.slice(2);
let store: Store | null = null;

const answers: Readonly<Record<string, () => string>> = {
  open: () => {
    store = openStore(directory, { limitBytes: null });
    return store.ownerId;
  },
  /** A session with a message that is still being written. */
  stream: () => {
    if (store === null) return "no store";
    const [sessionId, id] = [newSessionId(), newMessageId()];
    store.sessions.create({ id: sessionId, title: "streams", now: 1 });
    store.messages.insert({
      id,
      sessionId,
      turn: 1,
      role: "assistant",
      parts: [],
      model: "m",
      provider: "p",
      now: 1,
    });
    store.messages.appendChunk(id, "reasoning", "let me ");
    store.messages.appendChunk(id, "reasoning", "see");
    for (let n = 0; n < 100; n += 1) store.messages.appendChunk(id, "text", `${n} `);
    return sessionId;
  },
  /** Many small writes, for a crowd. */
  write: () => {
    for (let n = 0; n < 50; n += 1)
      store?.transaction(() =>
        store?.sessions.create({ id: newSessionId(), title: `${n}`, now: 1 }),
      );
    return "written";
  },
};

createInterface(process.stdin).on("line", (line) => {
  try {
    process.stdout.write(`${answers[line]?.() ?? "what?"}\n`);
  } catch (error) {
    process.stdout.write(`error: ${String(error)}\n`);
  }
});
process.stdout.write("ready\n");
