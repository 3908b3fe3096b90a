import { wildcard } from "../../shared/wildcard.ts";

/** `https://docs.example.com/api/*`, matched part by part, so that no `*` reaches from one part into another. */
export interface UrlPattern {
  readonly forbids: (url: URL) => boolean;
  readonly allows: (url: URL) => boolean;
}

/** Of a text that `parseRule` has let through. */
export function urlPattern(written: string): UrlPattern {
  const [, scheme, host = "", port, rest = ""] =
    /^(?:(https?):\/\/)?(\[[^\]]*\]|[^/:]*)(?::(\d+|\*))?(\/.*)?$/i.exec(written.trim()) ?? [];
  // `docs.example.com*` means its pages, not docs.example.com.evil.net.
  const openEnd = /[^.*]\*+$/.test(host) && rest === "" && port === undefined;
  const labels = bare(openEnd ? host.replace(/\*+$/, "") : host).split(".");
  const wanted = scheme?.toLowerCase();
  const path = rest === "" ? "/*" : rest;

  const isThere = (url: URL): boolean =>
    (wanted === undefined || url.protocol === `${wanted}:`) && hostMatches(labels, url);
  return {
    forbids: (url) =>
      isThere(url) &&
      (port === undefined || port === "*" || port === portOf(url)) &&
      [pathOf(url), decoded(pathOf(url))].some((one) => wildcard(path, one)),
    allows: (url) =>
      isThere(url) &&
      url.username === "" &&
      url.password === "" &&
      (port === "*" || (port ?? usualPort(url)) === portOf(url)) &&
      wildcard(path, pathOf(url)),
  };
}

const usualPort = ({ protocol }: URL): string => (protocol === "https:" ? "443" : "80");
const portOf = (url: URL): string => (url.port === "" ? usualPort(url) : url.port);
const pathOf = ({ pathname, search }: URL): string => `${pathname}${search}`;

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Lower case, without the dot of the root, and as a URL writes it if it has no `*`. */
function bare(host: string): string {
  const plain = host.toLowerCase().replace(/\.$/, "");
  if (plain.includes("*") || plain === "") return plain;
  try {
    return new URL(`http://${plain}/`).hostname;
  } catch {
    return plain;
  }
}

/** `*` alone stands for one label or more, else for characters of one label. */
function hostMatches(labels: readonly string[], url: URL): boolean {
  const host = url.hostname.replace(/\.$/, "");
  if (host.startsWith("[")) return labels.join(".") === host || labels.join() === "*";
  const given = host.split(".");
  const from = (at: number, next: number): boolean => {
    const label = labels[at];
    const one = given[next];
    if (label === undefined || one === undefined) return label === one;
    if (label === "*") return from(at + 1, next + 1) || from(at, next + 1);
    return wildcard(label, one) && from(at + 1, next + 1);
  };
  return from(0, 0);
}
