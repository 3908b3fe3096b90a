/** Rings once after `ms` milliseconds, unless what it returns is called before. */
export type SetAlarm = (ms: number, ring: () => void) => () => void;

/** Holds no process: one that has nothing else to do ends. */
export const systemAlarm: SetAlarm = (ms, ring) => {
  const timer = setTimeout(ring, ms);
  timer.unref();
  return () => clearTimeout(timer);
};
