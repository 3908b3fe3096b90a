import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { fetchTool } from "../../src/tools/fetch.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import type { ToolResult } from "../../src/tools/tool.ts";
import { forwardProxy } from "../support/forward-proxy.ts";
import { secureServer } from "../support/secure-server.ts";
import { toolContext } from "../support/tool-context.ts";

/** A loopback server; `get` fetches a path of it. */
async function site(answer: RequestListener): Promise<
  {
    readonly url: string;
    readonly get: (path: string, more?: JsonObject, signal?: AbortSignal) => Promise<ToolResult>;
    readonly open: () => number;
  } & AsyncDisposable
> {
  let open = 0;
  const server = createServer(answer);
  server.on("connection", (socket) => {
    open += 1;
    socket.on("close", () => {
      open -= 1;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    get: (path, more = {}, signal = new AbortController().signal) =>
      fetchTool.run({ url: url + path, ...more }, toolContext("/", { signal })),
    open: () => open,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

test("an HTML page comes as Markdown, as text, or as it is", async () => {
  const html = "<html><body><h1>Hi</h1><p>a <b>b</b></p></body></html>";
  await using at = await site((_, answer) => {
    answer.setHeader("content-type", "text/html; charset=utf-8").end(html);
  });
  expect(await at.get("/")).toEqual({
    content: "# Hi\n\na **b**",
    isError: false,
    truncated: false,
    metadata: { url: `${at.url}/`, status: 200, bytes: html.length },
  });
  expect((await at.get("/", { format: "text" })).content).toContain("a b");
  expect((await at.get("/", { format: "html" })).content).toBe(html);
});

test("what is not HTML comes as it is, in its character set, unpacked", async () => {
  await using at = await site((request, answer) => {
    if (request.url === "/json")
      answer.setHeader("content-type", "application/json").end('{"a":1}');
    if (request.url === "/latin1")
      answer
        .setHeader("content-type", "text/plain; charset=ISO-8859-1")
        .end(Buffer.from("caf\xe9", "latin1"));
    if (request.url === "/gzip")
      answer.setHeader("content-encoding", "gzip").end(gzipSync("packed"));
    if (request.url === "/br")
      answer.setHeader("content-encoding", "br").end(brotliCompressSync("packed too"));
    if (request.url === "/empty") answer.end();
  });
  expect((await at.get("/json")).content).toBe('{"a":1}');
  expect((await at.get("/latin1")).content).toBe("café");
  expect((await at.get("/gzip")).content).toBe("packed");
  expect((await at.get("/br")).content).toBe("packed too");
  expect((await at.get("/empty")).content).toBe("[the page has no text]");
});

test("redirects are followed, five at most, and never to another kind of address", async () => {
  await using at = await site((request, answer) => {
    const left = Number(request.url?.slice(1));
    if (left > 0) answer.writeHead(302, { location: `/${left - 1}` }).end();
    else if (request.url === "/file")
      answer.writeHead(301, { location: "file:///etc/passwd" }).end();
    else answer.end(`here: ${request.url}`);
  });
  expect(await at.get("/5")).toMatchObject({
    content: "here: /0",
    metadata: { url: `${at.url}/0` },
  });
  expect(await at.get("/6")).toMatchObject({
    isError: true,
    content: "fetch: more than 5 redirects",
  });
  expect(await at.get("/file")).toMatchObject({
    isError: true,
    content: "fetch: file: is not fetched, only http: and https:",
  });
});

test("a failing status is an error result with what the server said", async () => {
  await using at = await site((_, answer) => {
    answer.writeHead(404, { "content-type": "text/html" }).end("<p>No such <b>page</b></p>");
  });
  expect(await at.get("/x")).toMatchObject({
    isError: true,
    content: `fetch: ${at.url}/x answered 404 Not Found\nNo such **page**`,
    metadata: { status: 404 },
  });
});

test("an endless page and one that unfolds to any size are cut", async () => {
  const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024, "a"));
  await using at = await site((request, answer) => {
    if (request.url === "/bomb") {
      answer.setHeader("content-encoding", "gzip").end(bomb);
      return;
    }
    const more = (): void => {
      while (!answer.destroyed && answer.write("b".repeat(65_536)));
    };
    answer.on("drain", more);
    more();
  });
  for (const path of ["/bomb", "/endless"]) {
    const result = await at.get(path);
    expect(result.content).toMatch(/^\[only the first 5242880 bytes were read\]\n/);
    expect(result.content).toMatch(
      /bytes left out; save the page with bash and curl, then view it\]$/,
    );
    expect(Buffer.byteLength(result.content)).toBeLessThan(33 * 1024);
    expect(result).toMatchObject({ isError: false, truncated: true });
  }
  await expect.poll(at.open).toBe(0);
});

test("binary data is refused with its kind", async () => {
  await using at = await site((_, answer) => {
    answer
      .setHeader("content-type", "image/png")
      .end(Buffer.from("\x89PNG\r\n\x1a\n\0\0", "latin1"));
  });
  expect(await at.get("/i.png")).toMatchObject({
    isError: true,
    content: `fetch: ${at.url}/i.png is a PNG image (image/png, 10 bytes), not text; save it with bash and curl`,
  });
});

test("a server that does not answer, or stops in the middle, is left after the time limit", async () => {
  await using at = await site((request, answer) => {
    if (request.url === "/half") answer.write("half");
  });
  const paths = ["/silent", "/half"];
  const results = await Promise.all(paths.map((path) => at.get(path, { timeout: 1 })));
  for (const { content, isError } of results)
    expect({ content, isError }).toEqual({ content: "fetch: no answer within 1 s", isError: true });
  await expect.poll(at.open).toBe(0);
});

test("an abort rejects with its reason and closes the connection", async () => {
  const controller = new AbortController();
  const reason = new Error("stop");
  await using at = await site((_, answer) => {
    answer.write("half");
    controller.abort(reason);
  });
  await expect(at.get("/", {}, controller.signal)).rejects.toBe(reason);
  await expect.poll(at.open).toBe(0);
});

test("an answer that breaks off, and a port where nobody listens, are told in words", async () => {
  await using at = await site((_, answer) => {
    answer.writeHead(200, { "content-length": "100" }).write("half", () => answer.destroy());
  });
  expect(await at.get("/")).toMatchObject({
    isError: true,
    content: expect.stringContaining("the answer broke off") as string,
  });
  let gone = "";
  {
    await using closed = await site(() => {});
    gone = closed.url;
  }
  const result = await fetchTool.run({ url: gone }, toolContext("/"));
  expect(result).toMatchObject({
    isError: true,
    content: `fetch: connection refused while connecting (${gone.slice(7)}, ECONNREFUSED)`,
  });
});

test("only http and https addresses are fetched", async () => {
  const said = async (url: string): Promise<string> =>
    (await fetchTool.run({ url }, toolContext("/"))).content;
  expect(await said("file:///etc/passwd")).toContain("file: is not fetched");
  expect(await said("example")).toBe("fetch: example is not a URL");
});

/** A fetch with these variables in the environment of the tools. */
const fetched = (url: string, env: Readonly<Record<string, string>>): Promise<ToolResult> =>
  fetchTool.run({ url, timeout: 5 }, toolContext("/", { env }));

describe("the proxy of the environment", () => {
  test("is asked for an http page and for a tunnel to an https one, with its password", async () => {
    await using at = await site((request, answer) => answer.end(`plain ${request.headers.host}`));
    await using secure = await secureServer((_, answer) => answer.end("secure"));
    await using proxy = await forwardProxy({ user: "me:word" });
    const env = {
      HTTP_PROXY: `http://me:word@${proxy.host}`,
      HTTPS_PROXY: `http://me:word@${proxy.host}`,
      SSL_CERT_FILE: secure.caFile,
    };
    const { port } = new URL(at.url);
    const page = await fetched(`http://site.test:${port}/a?b`, env);
    expect(page.content).toBe(`plain site.test:${port}`);
    expect((await fetched(`https://${secure.host}/`, env)).content).toBe("secure");
    const authorization = `Basic ${Buffer.from("me:word").toString("base64")}`;
    expect(proxy.seen).toEqual([
      `GET http://site.test:${port}/a?b ${authorization}`,
      `CONNECT ${secure.host} ${authorization}`,
    ]);
    await expect.poll(proxy.open).toBe(0);
  });

  test("is passed by for what NO_PROXY names, judged anew at each redirect", async () => {
    await using at = await site((request, answer) => {
      const { port } = new URL(at.url);
      const onward = request.url === "/in" ? `http://site.test:${port}/out` : `${at.url}/end`;
      if (request.url === "/end") answer.end("here");
      else answer.writeHead(302, { location: onward }).end();
    });
    await using proxy = await forwardProxy();
    const env = { HTTP_PROXY: `http://${proxy.host}`, NO_PROXY: "127.0.0.1" };
    expect(await fetched(`${at.url}/in`, env)).toMatchObject({
      content: "here",
      metadata: { url: `${at.url}/end` },
    });
    const { port } = new URL(at.url);
    expect(proxy.seen).toEqual([`GET http://site.test:${port}/out -`]);
  });

  test("that refuses, or asks for a password, is told with the remedy", async () => {
    await using proxy = await forwardProxy({ user: "me:word" });
    const env = { ALL_PROXY: `http://${proxy.host}` };
    expect(await fetched("https://site.test/", env)).toMatchObject({
      isError: true,
      content: `fetch: the proxy ${proxy.host} answered 407 to CONNECT. Check HTTPS_PROXY and NO_PROXY`,
    });
    expect(await fetched("http://site.test/", env)).toMatchObject({
      isError: true,
      content: `fetch: the proxy ${proxy.host} answered 407: it wants a user and a password. Write them into HTTP_PROXY: http://user:password@host:port`,
    });
  });
});

test("an https page whose certificate nobody knows is refused, with the remedy", async () => {
  await using secure = await secureServer((_, answer) => answer.end("secure"));
  const refused = await fetched(`https://${secure.host}/`, {});
  expect(refused).toMatchObject({ isError: true });
  expect(refused.content).toMatch(
    /^fetch: the certificate of .* was not accepted: .*NODE_EXTRA_CA_CERTS/,
  );
  const page = await fetched(`https://${secure.host}/`, { SSL_CERT_FILE: secure.caFile });
  expect(page).toMatchObject({ isError: false, content: "secure" });
});
