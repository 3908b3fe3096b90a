import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("store-child.ts", import.meta.url));

/** A process with a store of its own (see store-child.ts); killed at the end of its scope. */
export interface StoreProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Sends one line and resolves with the answer. */
  ask(what: "open" | "stream" | "write"): Promise<string>;
  /** SIGKILL; resolves when it is dead. */
  kill(): Promise<void>;
}

/** Resolves when it is ready to be asked. */
export async function storeProcess(directory: string): Promise<StoreProcess> {
  const child = spawn(process.execPath, ["--import", "tsx", SCRIPT, directory], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const answer = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error("the process has ended");
    return value;
  };
  const exited = once(child, "exit");
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  await answer();
  return {
    child,
    kill,
    ask: async (what) => {
      child.stdin.write(`${what}\n`);
      return await answer();
    },
    [Symbol.asyncDispose]: kill,
  };
}
