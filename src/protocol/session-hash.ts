import { createXXHash3 } from "hash-wasm";

/** The short name of a session, as people are shown it: 16 hexadecimal digits, of which fewer may be said. */
export type SessionHash = (id: string) => string;

/** XXH3, 64 bits, seed 0, of the id in UTF-8; big-endian. protocol.md section 9.2. Import it when it is needed: it is a WebAssembly module. */
export async function sessionHash(): Promise<SessionHash> {
  const hasher = await createXXHash3();
  return (id) => hasher.init().update(id).digest("hex");
}
