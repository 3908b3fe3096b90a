import { expect, test } from "vitest";
import { FAKE_KEY, crushPlace } from "../support/crush.ts";
import { forwardProxy } from "../support/forward-proxy.ts";
import { modelList } from "../support/model-server.ts";
import { secureServer } from "../support/secure-server.ts";

test("models are listed and called through HTTPS_PROXY with a CA of NODE_EXTRA_CA_CERTS", async () => {
  const chunk = {
    choices: [{ index: 0, delta: { content: "An answer." }, finish_reason: "stop" }],
  };
  await using server = await secureServer((request, response) => {
    request.resume();
    if (request.method === "GET") response.end(JSON.stringify(modelList("m")));
    else
      response
        .writeHead(200, { "content-type": "text/event-stream" })
        .end(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`);
  });
  await using proxy = await forwardProxy({ user: "me:word" });
  const fake = { type: "openai-compat", base_url: `https://${server.host}/v1`, api_key: FAKE_KEY };
  await using place = crushPlace({ configuration: { providers: { fake } } });
  const env = {
    NODE_EXTRA_CA_CERTS: server.caFile,
    HTTPS_PROXY: `http://me:word@${proxy.host}`,
  };
  const ended = await place.run(["run", "-q", "-m", "fake/m", "hi"], { env });
  expect([ended.stdout.toString(), ended.stderr.toString()]).toEqual(["An answer.\n", ""]);
  expect(ended.status).toBe(0);
  const asked = `CONNECT ${server.host} Basic ${Buffer.from("me:word").toString("base64")}`;
  expect(proxy.seen).toEqual([asked, asked]);

  const refused = await place.run(["run", "-q", "-m", "fake/m", "hi"], {
    env: { ...env, HTTPS_PROXY: `http://me:wrong@${proxy.host}` },
  });
  expect(refused.stderr.toString()).toContain(`the proxy ${proxy.host} answered 407 to CONNECT`);
  expect(refused.stderr.toString()).not.toContain("wrong");
  expect(refused.status).toBe(1);
});
