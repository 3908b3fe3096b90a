import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const PATH = /^\/(?:dev\/(?:fd\/(\d+)|stdin|stdout|stderr)|proc\/(self|\d+)\/fd\/(\d+))$/;

/** Whether a path names what a shell has opened for us or for another process: `/dev/fd/3`. */
export const isDescriptor = (path: string): boolean => PATH.test(path);

/**
 * Whether such a path names nothing that a shell has opened for writing. Node opens descriptors for itself, and a number that was forgotten in
 * the command (`3>FILE`) may be one of them: what is written there is lost. Known on Linux alone.
 */
export function isUnopened(path: string): boolean {
  const [, dev, whose, proc] = PATH.exec(path) ?? [];
  const fd = dev ?? (whose === "self" ? proc : undefined);
  if (fd === undefined) return false;
  try {
    const mode = accessMode(fd);
    const target = targetOf(fd);
    if (mode === READ_ONLY || target.startsWith("anon_inode:")) return true;
    return (
      target.startsWith("pipe:") &&
      readdirSync(OURS).some((other) => leadsTo(other, target) && accessMode(other) === READ_ONLY)
    );
  } catch {
    return false;
  }
}

const OURS = "/proc/self/fd";
const READ_ONLY = 0;

const targetOf = (fd: string): string => readlinkSync(`${OURS}/${fd}`);

/** The directory of the descriptors is itself one while it is read. */
function leadsTo(fd: string, target: string): boolean {
  try {
    return targetOf(fd) === target;
  } catch {
    return false;
  }
}

function accessMode(fd: string): number {
  const [, flags = ""] =
    /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8")) ?? [];
  return Number.parseInt(flags, 8) & 0b11;
}
