import type { Answered, FakeServer } from "./fake-server.ts";

/** A workspace with one session, and the requests that tests make of it. */
export interface AskedWorkspace {
  /** Below `/v1`. */
  readonly path: string;
  readonly session: string;
  prompt(runId: string, more?: object): Promise<Answered>;
  cancel(body?: object): Promise<Answered>;
  messages(): Promise<AskedMessage[]>;
}

export interface AskedMessage {
  readonly role: string;
  readonly text: string;
  readonly finish: string | undefined;
}

export async function askedWorkspace(server: FakeServer): Promise<AskedWorkspace> {
  const path = await server.workspace();
  const session = await server.session(path);
  return {
    path,
    session,
    prompt: async (runId, more = {}) =>
      await server.ask("POST", `${path}/agent`, {
        session_id: session,
        run_id: runId,
        prompt: `ask ${runId}`,
        ...more,
      }),
    cancel: async (body) =>
      await server.ask("POST", `${path}/agent/sessions/${session}/cancel`, body),
    messages: async () => {
      const { body } = await server.ask("GET", `${path}/sessions/${session}/messages`);
      return body.map(told);
    },
  };
}

interface WireMessage {
  readonly role: string;
  readonly parts: readonly { readonly type: string; readonly data: Record<string, string> }[];
}

const told = ({ role, parts }: WireMessage): AskedMessage => ({
  role,
  text: parts.map(({ type, data }) => (type === "text" ? data["text"] : "")).join(""),
  finish: parts.find(({ type }) => type === "finish")?.data["reason"],
});
