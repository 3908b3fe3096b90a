import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const MODULE = fileURLToPath(new URL("../../src/cli/stdout.ts", import.meta.url));

/** What a process prints that has taken its standard output (a pipe) and then runs `body`. */
function printed(body: string): { readonly stdout: string; readonly stderr: string } {
  const program = `
    import { takeStdout } from ${JSON.stringify(MODULE)};
    const stdout = takeStdout({ raw: false }, (why) => console.error(why.reason));
    ${body}`;
  const args = ["--import", "tsx", "--input-type=module", "--eval", program];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    timeout: 15_000,
  });
  if (status !== 0) throw new Error(stderr);
  return { stdout, stderr };
}

test("standard output is for the answer alone: what else is written there goes to standard error", () => {
  const said = printed(`
    console.log("a library");
    await stdout.write("the answer ");
    process.stdout.write("another\\n");
    await stdout.write("in parts\\n");
    // The halves of a character come one by one.
    await stdout.write("\\ud83d");
    await stdout.write("\\ude00 \\udc00");
    await stdout.write("!\\n");
    await stdout.write("");
    await stdout.write("\\u001b[1mbold\\u001b[0m " + "é".repeat(100_000));
  `);
  expect(said.stderr).toBe("a library\nanother\n");
  // Into a pipe the bytes go as they are, but half a character is none.
  expect(said.stdout).toBe(
    `the answer in parts\n\u{1F600} \ufffd!\n\u001b[1mbold\u001b[0m ${"é".repeat(100_000)}`,
  );
});
