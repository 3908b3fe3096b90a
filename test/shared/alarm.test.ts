import { expect, onTestFinished, test, vi } from "vitest";
import { systemAlarm } from "../../src/shared/alarm.ts";

test("an alarm rings once when its time is over, and not at all when it is taken back", () => {
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const rung: string[] = [];
  systemAlarm(10, () => rung.push("one"));
  const takeBack = systemAlarm(10, () => rung.push("two"));
  vi.advanceTimersByTime(9);
  takeBack();
  takeBack();
  expect(rung).toEqual([]);
  vi.advanceTimersByTime(100);
  expect(rung).toEqual(["one"]);
});

test("an alarm keeps no process alive", () => {
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
  const before = timers();
  const takeBack = systemAlarm(60_000, () => {});
  expect(timers()).toBe(before);
  takeBack();
});
