import type { Answer, Ask, Transport } from "../../src/protocol/http.ts";

export interface Heard extends Ask {
  readonly url: string;
}

export interface FakeTransport {
  readonly transport: Transport;
  readonly heard: Heard[];
}

type Script = (heard: Heard) => Answer | Promise<Answer> | undefined;

/** A server of one function; what it does not answer is 404. It creates the workspace `w` by itself. */
export function fakeTransport(script: Script = () => undefined): FakeTransport {
  const heard: Heard[] = [];
  return {
    heard,
    transport: async (url, ask) => {
      const one = { ...ask, url };
      heard.push(one);
      const scripted = script(one);
      if (scripted !== undefined) return await scripted;
      if (url.endsWith("/v1/workspaces")) return answer(200, '{"id":"w"}');
      return answer(404, '{"message":"no such thing"}');
    },
  };
}

export function answer(
  status: number,
  body: string | AsyncIterable<Uint8Array | string> = "",
): Answer {
  return {
    status,
    headers: { get: () => null },
    body: typeof body === "string" ? once(body) : body,
    text: async () => {
      if (typeof body === "string") return body;
      let text = "";
      for await (const chunk of body) text += typeof chunk === "string" ? chunk : "";
      return text;
    },
  };
}

async function* once(text: string): AsyncIterable<string> {
  yield text;
}
