import type { SetAlarm } from "../../src/shared/alarm.ts";

/** Alarms that ring when the test lets time pass, in order of their time. */
export interface HandAlarms {
  readonly set: SetAlarm;
  /** Milliseconds that are left of each alarm that is set, the next to ring first. */
  readonly left: () => number[];
  pass(ms: number): void;
}

export function handAlarms(): HandAlarms {
  let now = 0;
  const alarms = new Set<{ readonly at: number; readonly ring: () => void }>();
  const inOrder = () => [...alarms].toSorted((a, b) => a.at - b.at);
  return {
    set: (ms, ring) => {
      const alarm = { at: now + ms, ring };
      alarms.add(alarm);
      return () => alarms.delete(alarm);
    },
    left: () => inOrder().map(({ at }) => at - now),
    pass: (ms) => {
      const until = now + ms;
      for (let [next] = inOrder(); next !== undefined && next.at <= until; [next] = inOrder()) {
        now = next.at;
        alarms.delete(next);
        next.ring();
      }
      now = until;
    },
  };
}
