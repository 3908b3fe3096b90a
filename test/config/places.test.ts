import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  dataDirectory,
  isInside,
  projectDirectories,
  userDirectories,
} from "../../src/config/places.ts";
import { projectFolder } from "../support/project-folder.ts";

test("the user's directories follow Crush's variables, then XDG's, then the home directory", () => {
  const home = { HOME: "/h" };
  expect(userDirectories("/w", home)).toEqual({
    home: "/h",
    config: "/h/.config/crush",
    data: "/h/.local/share/crush",
  });
  const xdg = { ...home, XDG_CONFIG_HOME: "/c", XDG_DATA_HOME: "/d" };
  expect(userDirectories("/w", xdg)).toEqual({ home: "/h", config: "/c/crush", data: "/d/crush" });
  const own = { ...xdg, CRUSH_GLOBAL_CONFIG: "conf", CRUSH_GLOBAL_DATA: "/data" };
  expect(userDirectories("/w", own)).toEqual({ home: "/h", config: "/w/conf", data: "/data" });
});

test("a relative XDG directory is ignored, as its specification says", () => {
  expect(userDirectories("/w", { HOME: "/h", XDG_CONFIG_HOME: "c" }).config).toBe(
    "/h/.config/crush",
  );
});

test("the project goes from the worktree's root, marked by a .git file or directory, to the working directory", () => {
  using folder = projectFolder();
  const deep = join(folder.root, "a/b");
  mkdirSync(deep, { recursive: true });
  expect(projectDirectories(deep)).toEqual([folder.root, join(folder.root, "a"), deep]);
  writeFileSync(join(folder.root, "a/.git"), "gitdir: elsewhere");
  expect(projectDirectories(deep)).toEqual([join(folder.root, "a"), deep]);
  expect(projectDirectories(folder.home)).toEqual([folder.home]);
});

test.each([
  ["/a", "/a", true],
  ["/a", "/a/b", true],
  ["/a", "/a/..b", true],
  ["/a", "/ab", false],
  ["/a/b", "/a", false],
  ["/", "/a", true],
])("isInside(%j, %j) is %j", (directory, path, expected) => {
  expect(isInside(directory, path)).toBe(expected);
});

test("a .crush that is a link in a circle is not the project's data directory", () => {
  using folder = projectFolder();
  const deep = join(folder.root, "deep");
  mkdirSync(deep);
  symlinkSync(".crush", join(deep, ".crush"));
  mkdirSync(join(folder.root, ".crush"));
  expect(dataDirectory(deep, [folder.root, deep], null, null)).toBe(join(folder.root, ".crush"));
});
