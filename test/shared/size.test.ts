import { expect, test } from "vitest";
import { parseSize } from "../../src/shared/size.ts";

test.each([
  ["0", 0],
  ["4096", 4096],
  ["64k", 65_536],
  ["10M", 10_485_760],
  [" 1g ", 1_073_741_824],
])("%j is %d bytes", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(["", " ", "-1", "1.5m", "1e3", "k", "10mb", "9999999999999999g"])(
  "%j is no size",
  (text) => {
    expect(parseSize(text)).toBeNull();
  },
);
