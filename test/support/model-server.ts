import { createServer, type IncomingHttpHeaders } from "node:http";
import { once } from "node:events";

/** A loopback server that answers GET `<url>/models`; it keeps the headers of each request. */
export interface ModelServer extends AsyncDisposable {
  /** With `/v1`. */
  readonly url: string;
  readonly host: string;
  readonly requests: readonly IncomingHttpHeaders[];
}

/** `answer` is the JSON body, or the text of it; null never answers. */
export async function modelServer(answer: unknown, status = 200): Promise<ModelServer> {
  const requests: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    requests.push(request.headers);
    if (answer === null) return;
    const found = request.method === "GET" && request.url?.endsWith("/models") === true;
    response.writeHead(found ? status : 404, { "content-type": "application/json" });
    response.end(typeof answer === "string" ? answer : JSON.stringify(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    host: `127.0.0.1:${port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export const modelList = (...ids: string[]) => ({ data: ids.map((id) => ({ id })) });
