// Required into both programs under test: Node cannot ask for the resources of a child that has ended, so the child
// leaves them in a file when it exits. Costs both about 1 ms. The peak is VmHWM and not `maxRSS`, because Linux
// lets a child inherit the latter from the process that forked it.
const { readFileSync, writeFileSync } = require("node:fs");

process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  let peakKiB = maxRSS;
  try {
    peakKiB = Number(/VmHWM:\s*(\d+)/.exec(readFileSync("/proc/self/status", "latin1"))[1]);
  } catch {
    // not Linux
  }
  writeFileSync(
    process.env.CRUSH_BENCH_USAGE_FILE,
    JSON.stringify({ cpuMs: (userCPUTime + systemCPUTime) / 1000, peakMiB: peakKiB / 1024 }),
  );
});
