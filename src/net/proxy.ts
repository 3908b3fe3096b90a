import { bareHost } from "./url-parts.ts";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a URL by the customary variables (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`; lower case
 * wins), or null. Throws a TypeError for a proxy that is not a URL.
 */
export function proxyFor(target: URL, env: Env): URL | null {
  const scheme = target.protocol.slice(0, -1);
  const proxy = lookUp(env, `${scheme}_proxy`) ?? lookUp(env, "all_proxy");
  if (proxy === null || isExempt(target, lookUp(env, "no_proxy") ?? "")) return null;
  return new URL(proxy.includes("://") ? proxy : `http://${proxy}`);
}

function lookUp(env: Env, name: string): string | null {
  const value = (env[name] ?? env[name.toUpperCase()] ?? "").trim();
  return value === "" ? null : value;
}

/** `*`, `example.com` and `.example.com` (the domain and everything below it), each with an optional port. */
function isExempt(target: URL, list: string): boolean {
  const host = bareHost(target);
  const port = target.port === "" ? (target.protocol === "https:" ? "443" : "80") : target.port;
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .some((entry) => {
      if (entry === "*") return true;
      const [, name = "", onlyPort] = /^(\[[^\]]*\]|[^:]*|.*:.*:.*?)(?::(\d+))?$/.exec(entry) ?? [];
      if (onlyPort !== undefined && onlyPort !== port) return false;
      const suffix = name.replace(/^\*?\./, "").replace(/^\[|\]$/g, "");
      return suffix !== "" && (host === suffix || host.endsWith(`.${suffix}`));
    });
}
