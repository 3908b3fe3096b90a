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
  // `*evil*` would forbid nothing at all if its stars stayed in one label.
  const isLoose = /\*[^.*]/.test(host);
  const wanted = scheme?.toLowerCase();
  const path = rest === "" ? "/*" : rest;

  const isMeant = (url: URL): boolean => wanted === undefined || url.protocol === `${wanted}:`;
  return {
    forbids: (url) =>
      isMeant(url) &&
      (hostMatches(labels, url) || (isLoose && wildcard(bare(host), hostOf(url)))) &&
      (port === undefined || port === "*" || port === portOf(url)) &&
      disguisesOf(url).some((one) => wildcard(path, one)),
    allows: (url) =>
      isMeant(url) &&
      hostMatches(labels, url) &&
      !/(^|[/\\])\.\.([/\\]|$)/.test(decoded(url.pathname)) &&
      url.username === "" &&
      url.password === "" &&
      (port === "*" || (port ?? usualPort(url)) === portOf(url)) &&
      wildcard(path, pathOf(url)),
  };
}

const usualPort = ({ protocol }: URL): string => (protocol === "https:" ? "443" : "80");
const portOf = (url: URL): string => (url.port === "" ? usualPort(url) : url.port);
const pathOf = ({ pathname, search }: URL): string => `${pathname}${search}`;

/** The path as servers may read it: without its escapes, its query, its doubled and last slashes. */
function disguisesOf(url: URL): readonly string[] {
  const plain = (path: string): string => path.replaceAll(/\/{2,}/g, "/").replace(/(.)\/$/, "$1");
  return [pathOf(url), url.pathname].flatMap((path) => [path, decoded(path), plain(decoded(path))]);
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Lower case, without the dot of the root, and as a URL writes it; with a `*` label by label. */
function bare(host: string): string {
  const plain = host.toLowerCase().replace(/\.$/, "");
  if (plain.includes("*"))
    return plain
      .split(".")
      .map((label) => (/[^\x20-\x7e]/.test(label) && !label.includes("*") ? bare(label) : label))
      .join(".");
  if (plain === "") return plain;
  try {
    return hostOf(new URL(`http://${plain}/`));
  } catch {
    return plain;
  }
}

/** Without the dot of the root; an IPv4 address that is written as one of IPv6 is that very address. */
function hostOf({ hostname }: URL): string {
  const [, high, low] = /^\[::ffff:([\da-f]+):([\da-f]+)\]$/.exec(hostname) ?? [];
  if (high === undefined || low === undefined) return hostname.replace(/\.$/, "");
  const bytes = [high, low].flatMap((half) => {
    const number = Number.parseInt(half, 16);
    return [number >> 8, number & 255];
  });
  return bytes.join(".");
}

/** `*` alone stands for one label or more, else for characters of one label. */
function hostMatches(labels: readonly string[], url: URL): boolean {
  const host = hostOf(url);
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
