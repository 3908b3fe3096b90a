import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { pathToFileURL } from "node:url";

/** One page of a browser, and all that it has tried. */
export interface Page {
  /** The value of an expression in the page, whatever its content security policy. */
  evaluate<T>(expression: string): Promise<T>;
  /** A PNG in base64 of the whole page. */
  screenshot(): Promise<string>;
  prefer(scheme: "light" | "dark"): Promise<void>;
  resize(width: number, height: number): Promise<void>;
  press(key: string): Promise<void>;
  /** Addresses that were asked for, the page's own first. */
  readonly requests: readonly string[];
  /** What stands in the console: messages, errors, violations of the policy, dialogs. */
  readonly complaints: readonly string[];
}

export interface Browser extends AsyncDisposable {
  /** Loads a file. */
  open(path: string): Promise<Page>;
  /** Loads nothing. */
  blank(): Promise<Page>;
}

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

const ANSWER_MS = 30_000;

/** Debian's Chromium without a window, driven over two pipes by the protocol of its developer tools. */
export function startChromium(): Browser {
  const profile = mkdtempSync(join(tmpdir(), "crush-chromium-"));
  const child = spawn(
    "chromium",
    [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--disable-background-networking",
      "--disable-component-update",
      "--no-first-run",
      "--hide-scrollbars",
      `--user-data-dir=${profile}`,
      "--remote-debugging-pipe",
      "about:blank",
    ],
    { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"], detached: true },
  );
  const [, , , into, from] = child.stdio;
  if (!(into instanceof Writable) || !(from instanceof Readable)) throw new Error("no pipes");
  const ended = once(child, "close");
  const waiting = new Map<number, (reply: Reply) => void>();
  const listeners = new Map<string, (reply: Reply) => void>();
  let buffered = "";
  from.setEncoding("utf8").on("data", (chunk: string) => {
    const messages = `${buffered}${chunk}`.split("\0");
    buffered = messages.pop() ?? "";
    for (const message of messages) {
      const reply = JSON.parse(message) as Reply;
      if (reply.id !== undefined) waiting.get(reply.id)?.(reply);
      else listeners.get(reply.sessionId ?? "")?.(reply);
    }
  });
  let last = 0;
  const send = async (
    method: string,
    params: object = {},
    sessionId?: string,
  ): Promise<Readonly<Record<string, unknown>>> => {
    last += 1;
    const id = last;
    const reply = await new Promise<Reply>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${method}`)), ANSWER_MS);
      waiting.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      into.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
    waiting.delete(id);
    if (reply.error !== undefined) throw new Error(`${method}: ${reply.error.message}`);
    return reply.result ?? {};
  };

  const attached = async (url: string | null): Promise<Page> => {
    const { targetId } = await send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
    const id = String(sessionId);
    const ask = async (method: string, params: object = {}) => await send(method, params, id);
    const requests: string[] = [];
    const complaints: string[] = [];
    const loaded = new Promise<void>((resolve) => {
      listeners.set(id, ({ method = "", params = {} }) => {
        if (method === "Page.loadEventFired") resolve();
        if (method === "Network.requestWillBeSent")
          requests.push((params["request"] as { url: string }).url);
        if (COMPLAINTS.has(method)) complaints.push(`${method} ${JSON.stringify(params)}`);
      });
    });
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await ask(`${domain}.enable`);
    if (url !== null) {
      await ask("Page.navigate", { url });
      await loaded;
    }
    return {
      evaluate: async <T>(expression: string) => {
        const { result, exceptionDetails } = await ask("Runtime.evaluate", {
          expression,
          returnByValue: true,
          awaitPromise: true,
        });
        if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
        return (result as { value: T }).value;
      },
      screenshot: async () => {
        const { data } = await ask("Page.captureScreenshot", { captureBeyondViewport: true });
        return String(data);
      },
      prefer: async (value) => {
        const features = [{ name: "prefers-color-scheme", value }];
        await ask("Emulation.setEmulatedMedia", { features });
      },
      resize: async (width, height) => {
        const metrics = { width, height, deviceScaleFactor: 1, mobile: false };
        await ask("Emulation.setDeviceMetricsOverride", metrics);
      },
      press: async (key) => {
        await ask("Input.dispatchKeyEvent", {
          type: "keyDown",
          key,
          text: key === "Enter" ? "\r" : "",
        });
        await ask("Input.dispatchKeyEvent", { type: "keyUp", key });
      },
      requests,
      complaints,
    };
  };
  return {
    open: async (path) => await attached(pathToFileURL(path).href),
    blank: async () => await attached(null),
    [Symbol.asyncDispose]: async () => {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

const COMPLAINTS: ReadonlySet<string> = new Set([
  "Runtime.consoleAPICalled",
  "Runtime.exceptionThrown",
  "Log.entryAdded",
  "Page.javascriptDialogOpening",
]);
