import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { openStore } from "../../src/store/store.ts";
import { guardedPath, type GuardedPath } from "../../src/tools/path-guard.ts";
import { DEFAULT_SETTINGS, permissionsOf } from "../../src/tools/permissions/permissions.ts";
import type { ToolResult } from "../../src/tools/tool.ts";
import { viewTool } from "../../src/tools/view.ts";
import { writeTool } from "../../src/tools/write.ts";
import { call, tempDirectory } from "../support/tool-context.ts";

/** `work` is the working directory; `secret` lies beside it. */
function house(): { readonly cwd: string; readonly secret: string } & Disposable {
  const temp = tempDirectory();
  const cwd = join(temp.path, "work");
  mkdirSync(join(cwd, "src"), { recursive: true });
  writeFileSync(join(cwd, "src", "a.ts"), "a");
  writeFileSync(join(temp.path, "secret"), "s");
  return {
    cwd,
    secret: join(temp.path, "secret"),
    [Symbol.dispose]: () => temp[Symbol.dispose](),
  };
}

/** What `view` may reach by default. */
async function guard(cwd: string, written: string): Promise<GuardedPath | ToolResult> {
  const { permit } = await permissionsOf(DEFAULT_SETTINGS, cwd);
  return await guardedPath({ cwd, permit: async (wish) => await permit("view", wish) }, written);
}

test("a path is resolved against the working directory, existing or not", async () => {
  using at = house();
  const inside = (shown: string): unknown => ({ path: join(at.cwd, shown), shown });
  expect(await guard(at.cwd, "src/a.ts")).toEqual(inside("src/a.ts"));
  expect(await guard(at.cwd, join(at.cwd, "src/../src/a.ts"))).toEqual(inside("src/a.ts"));
  expect(await guard(at.cwd, "new/dir/file")).toEqual(inside("new/dir/file"));
  expect(await guard(at.cwd, "..name")).toEqual(inside("..name"));
  expect(await guard(at.cwd, ".")).toEqual({ path: at.cwd, shown: "." });
});

test("a path outside needs an approval, and its remedy names the rule that gives it", async () => {
  using at = house();
  for (const path of ["..", "../secret", "../work-2/x", "/etc/passwd", at.secret, "../nowhere/x"])
    expect(await guard(at.cwd, path)).toMatchObject({
      isError: true,
      denied: {
        kind: "unapproved",
        rule: "outside_working_directory",
        remedy: `allow it with --allow 'view(${resolve(at.cwd, path)})', or set --cwd to a directory that contains it`,
      },
    });
});

test("a symbolic link counts as what it points to", async () => {
  using at = house();
  symlinkSync("src/a.ts", join(at.cwd, "inside"));
  symlinkSync(at.secret, join(at.cwd, "file-out"));
  symlinkSync("..", join(at.cwd, "dir-out"));
  symlinkSync("file-out", join(at.cwd, "chain-out"));
  symlinkSync("../not-yet", join(at.cwd, "dangling-out"));
  symlinkSync("src/not-yet", join(at.cwd, "dangling-in"));
  const denied = { denied: { rule: "outside_working_directory" } };
  expect(await guard(at.cwd, "inside")).toMatchObject({ path: join(at.cwd, "src/a.ts") });
  expect(await guard(at.cwd, "dangling-in")).toMatchObject({ shown: "src/not-yet" });
  expect(await guard(at.cwd, "file-out")).toMatchObject(denied);
  expect(await guard(at.cwd, "chain-out")).toMatchObject(denied);
  expect(await guard(at.cwd, "dir-out/secret")).toMatchObject(denied);
  expect(await guard(at.cwd, "dir-out/new/file")).toMatchObject(denied);
  expect(await guard(at.cwd, "dangling-out")).toMatchObject(denied);
  expect(await guard(at.cwd, "dangling-out/below")).toMatchObject(denied);
});

test("links in a circle, NUL characters and kernel files are refused", async () => {
  using at = house();
  symlinkSync("b", join(at.cwd, "a"));
  symlinkSync("a", join(at.cwd, "b"));
  expect(await guard(at.cwd, "a")).toMatchObject({ isError: true });
  expect(await guard(at.cwd, "a/x")).toMatchObject({ isError: true });
  expect(await guard(at.cwd, "x\0y")).toMatchObject({ isError: true });
  // With `/` as the working directory everything is inside.
  expect(await guard("/", "/dev/zero")).toMatchObject({ isError: true });
  expect(await guard("/", "/proc/self/environ")).toMatchObject({ isError: true });
  expect(await guard("/", "/etc")).toEqual({ path: "/etc", shown: "etc" });
});

test("what the store holds open is not opened a second time: closing it would free the locks of the run", async () => {
  using at = house();
  const store = openStore(join(at.cwd, ".crush"), { limitBytes: null });
  const owner = `.crush/owners/${store.ownerId}.db`;
  for (const path of [owner, ".crush/crush-run.db", ".crush/crush-run.db-wal"])
    for (const result of [
      await call(viewTool, at.cwd, { file_path: path }),
      await call(writeTool, at.cwd, { file_path: path, content: "x" }),
    ])
      expect(result).toMatchObject({ isError: true, content: expect.stringContaining("records") });
  const asked = `import { isAlive } from "./src/store/owners.ts"; console.log(isAlive(process.argv[1], process.argv[2]));`;
  const other = ["--import", "tsx", "--input-type=module", "-e", asked];
  const owners = join(at.cwd, ".crush/owners");
  expect(execFileSync(process.execPath, [...other, owners, store.ownerId]).toString()).toBe(
    "true\n",
  );
  store.close();
  expect(await guard(at.cwd, "owners/me.db")).toMatchObject({ shown: "owners/me.db" });
});
