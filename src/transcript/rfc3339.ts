/** A time in Unix seconds as RFC 3339, in the local zone. */
export function rfc3339(seconds: number): string {
  const date = new Date(seconds * 1000);
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19);
  if (offset === 0) return `${local}Z`;
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60].map((part) =>
    String(part).padStart(2, "0"),
  );
  return `${local}${offset < 0 ? "-" : "+"}${hours}:${minutes}`;
}

/** For a person: date and time to the minute, in the local zone. */
export const shortTime = (seconds: number): string =>
  rfc3339(seconds).slice(0, 16).replace("T", " ");
