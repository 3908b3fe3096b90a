import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CERTIFICATE, PRIVATE_KEY } from "./certificate.ts";

/** An https server on loopback whose certificate nobody knows; gone with its scope. */
export interface SecureServer extends AsyncDisposable {
  /** `localhost:port`. */
  readonly host: string;
  /** A file with the certificate to trust. */
  readonly caFile: string;
}

export async function secureServer(answer: RequestListener): Promise<SecureServer> {
  const directory = mkdtempSync(join(tmpdir(), "secure-server-"));
  const caFile = join(directory, "ca.pem");
  writeFileSync(caFile, CERTIFICATE);
  const server = createServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, answer);
  const clients = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    clients.add(socket);
    socket.on("close", () => clients.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `localhost:${(server.address() as AddressInfo).port}`,
    caFile,
    [Symbol.asyncDispose]: async () => {
      rmSync(directory, { recursive: true });
      for (const socket of clients) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
