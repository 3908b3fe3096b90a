import { readFileSync } from "node:fs";
import { X509Certificate } from "node:crypto";
import { proxyFor } from "../net/proxy.ts";
import type { Env } from "./places.ts";

/** One thing about how requests leave this machine. */
export interface NetworkSetting {
  /** Broken: every request would end with it. */
  readonly state: "fine" | "surprising" | "broken";
  readonly text: string;
  readonly remedy: string | null;
}

const PROXIES = ["https_proxy", "http_proxy", "all_proxy"] as const;
const CERTIFICATES = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"] as const;

/** The proxies and certificate files that the environment names, and whether they can be used. No request is made. */
export const networkSettings = (env: Env): readonly NetworkSetting[] => [
  ...PROXIES.flatMap((name) => proxySetting(name, env)),
  ...localThroughProxy(env),
  ...CERTIFICATES.flatMap((name) => certificates(name, env[name] ?? "")),
];

/** Lower case wins. */
function proxySetting(lower: (typeof PROXIES)[number], env: Env): readonly NetworkSetting[] {
  const name = [lower, lower.toUpperCase()].find((one) => (env[one] ?? "").trim() !== "");
  if (name === undefined) return [];
  const remedy = `set ${name} to http://host:port, or unset it`;
  try {
    // Asked as the program asks, about a host that no list of exceptions names.
    const scheme = lower === "http_proxy" ? "http" : "https";
    const url = proxyFor(new URL(`${scheme}://example.invalid`), { [lower]: env[name] });
    if (url === null) return [];
    if (!/^https?:$/.test(url.protocol))
      return [
        { state: "broken", text: `${name} names a ${url.protocol.slice(0, -1)} proxy`, remedy },
      ];
    return [{ state: "fine", text: `${name} sends requests through ${url.host}`, remedy: null }];
  } catch {
    return [{ state: "broken", text: `${name} is no address of a proxy`, remedy }];
  }
}

/** A surprise that costs an hour: the proxy cannot reach this machine's own servers. */
function localThroughProxy(env: Env): readonly NetworkSetting[] {
  try {
    if (proxyFor(new URL("http://127.0.0.1:11434"), env) === null) return [];
  } catch {
    return []; // said above
  }
  return [
    {
      state: "surprising",
      text: "servers on this machine, such as Ollama, are asked for through the proxy too",
      remedy: "add localhost,127.0.0.1 to NO_PROXY",
    },
  ];
}

function certificates(name: string, file: string): readonly NetworkSetting[] {
  if (file === "") return [];
  const remedy = `correct ${name} or unset it`;
  // Node itself reads the other one, and goes on without it.
  const state = name === "SSL_CERT_FILE" ? "broken" : "surprising";
  try {
    const text = readFileSync(file, "utf8");
    const found = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
    const read = found.map((one) => new X509Certificate(one));
    return read.length === 0
      ? [{ state: "surprising", text: `${name}: ${file} holds no certificate`, remedy }]
      : [{ state: "fine", text: `${name}: ${read.length} in ${file}`, remedy: null }];
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "no certificates";
    return [{ state, text: `${name}: ${file} cannot be used (${code})`, remedy }];
  }
}
