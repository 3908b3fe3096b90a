import { openWorkspace, type WorkspaceClient } from "../../src/client/client.ts";
import type { Answer } from "../../src/protocol/http.ts";
import { answer, fakeTransport, type FakeTransport, type Heard } from "./fake-transport.ts";

interface OpenedClient extends FakeTransport {
  readonly client: WorkspaceClient;
}

/** The client `me` with the workspace `w` of a server that answers by this script. */
export async function opened(
  script?: (heard: Heard) => Answer | Promise<Answer> | undefined,
): Promise<OpenedClient> {
  const server = fakeTransport(script);
  const options = { path: "/project", dataDir: null, trustConfig: false };
  const client = await openWorkspace(
    server.transport,
    "http://c",
    "me",
    options,
    new AbortController().signal,
  );
  return { ...server, client };
}

/** A server that answers every call but the first one in this way. */
export const answering = async (status: number, body = "") =>
  await opened(({ url }) => (url.endsWith("/workspaces") ? undefined : answer(status, body)));
