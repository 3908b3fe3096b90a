/** The host as sockets want it: an IPv6 address without its brackets. */
export const bareHost = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "");

/** `user:password` of a URL, percent signs decoded; null when it names none. */
export function userOf(url: URL): string | null {
  if (url.username === "" && url.password === "") return null;
  return `${decoded(url.username)}:${decoded(url.password)}`;
}

/** Value of `authorization` or `proxy-authorization` for the user and password in a URL, or null. */
export function basicAuthorization(url: URL): string | null {
  const user = userOf(url);
  return user === null ? null : `Basic ${Buffer.from(user).toString("base64")}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a percent sign that somebody forgot to write as %25
  }
}
