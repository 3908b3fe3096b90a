import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectFolder, type ProjectFolder } from "../support/project-folder.ts";

type Overrides = Parameters<ProjectFolder["load"]>[0];

async function seen(folder: ProjectFolder, options?: Overrides) {
  const { contextFiles, warnings } = await folder.load(options);
  return {
    files: contextFiles.map(({ path, content }) =>
      folder.plain(`${path}: ${content.slice(0, 40)}`),
    ),
    warnings: warnings.map(folder.plain),
  };
}

test("the user's files come first, then the project's sorted by path, rules read recursively", async () => {
  using folder = projectFolder();
  folder.write("docs/style.md", "style");
  folder.write("AGENTS.md", "agents");
  folder.write("CLAUDE.md", "claude");
  folder.write(".cursor/rules/b/deep.mdc", "deep");
  folder.write(".cursor/rules/a.mdc", "a");
  folder.write(".github/copilot-instructions.md", "copilot");
  folder.write(`${folder.home}/.config/crush/CRUSH.md`, "mine");
  folder.write(`${folder.home}/.config/AGENTS.md`, "all agents");
  folder.write(`${folder.home}/extra.md`, "extra");
  folder.write("crush.json", {
    options: { context_paths: ["docs/style.md", "AGENTS.md", "none.md"] },
  });
  folder.write(`${folder.home}/.config/crush/crush.json`, {
    options: { global_context_paths: ["~/extra.md"] },
  });
  expect(await seen(folder)).toEqual({
    files: [
      "HOME/.config/crush/CRUSH.md: mine",
      "HOME/.config/AGENTS.md: all agents",
      "HOME/extra.md: extra",
      ".cursor/rules/a.mdc: a",
      ".cursor/rules/b/deep.mdc: deep",
      ".github/copilot-instructions.md: copilot",
      "AGENTS.md: agents",
      "CLAUDE.md: claude",
      "docs/style.md: style",
    ],
    warnings: [],
  });
});

test("one file under two names, or two that differ only in case, come once", async () => {
  using folder = projectFolder();
  folder.write("AGENTS.md", "upper");
  folder.write("agents.md", "lower");
  symlinkSync("AGENTS.md", join(folder.root, "CLAUDE.md"));
  expect((await seen(folder)).files).toEqual(["AGENTS.md: upper"]);
});

test("there is no search upwards, but a path may lead to another place of the worktree", async () => {
  using folder = projectFolder();
  folder.write("AGENTS.md", "root");
  folder.write("docs/x.md", "x");
  folder.write("sub/crush.json", { options: { context_paths: ["../docs"] } });
  expect((await seen(folder, { cwd: join(folder.root, "sub") })).files).toEqual([
    "ROOT/docs/x.md: x",
  ]);
});

test("a project's path, or a link in it, that leads out of the project is not read without trust", async () => {
  using folder = projectFolder();
  const secret = folder.write(`${folder.home}/secret`, "secret");
  symlinkSync(secret, join(folder.root, "AGENTS.md"));
  folder.write("crush.json", {
    options: { context_paths: ["~/secret", "$NOTES/none", "${NOTES}"] },
  });
  const env = { NOTES: join(folder.home, "notes") };
  folder.write(`${env.NOTES}/n.md`, "note");
  expect(await seen(folder, { env })).toEqual({
    files: [],
    warnings: [
      "context file HOME/notes lies outside the project; it is not read",
      "context file AGENTS.md lies outside the project; it is not read",
      "context file HOME/secret lies outside the project; it is not read",
    ],
  });
  expect((await seen(folder, { env, trustConfig: true })).files).toEqual([
    "HOME/notes/n.md: note",
    "HOME/secret: secret",
  ]);
});

test("a large file is cut off, and the file and all files together are bounded", async () => {
  using folder = projectFolder();
  folder.write("AGENTS.md", "x".repeat(300 * 1024));
  const { contextFiles, warnings } = await folder.load();
  expect(contextFiles[0]?.content).toBe(
    `${"x".repeat(256 * 1024)}\n[cut off: 307200 bytes in all]\n`,
  );
  expect(warnings).toEqual(["context file AGENTS.md is larger than 256 KiB; its end is cut off"]);

  for (let at = 0; at < 5; at += 1) folder.write(`.cursor/rules/${at}`, "y".repeat(255 * 1024));
  expect((await folder.load()).warnings).toEqual([
    "context file .cursor/rules/4 would make more than 1 MiB of them; it and those after it are not read",
  ]);

  using many = projectFolder();
  for (let at = 0; at < 101; at += 1)
    many.write(`.cursor/rules/${String(at).padStart(3, "0")}`, "z");
  const full = await many.load();
  expect(full.contextFiles).toHaveLength(100);
  expect(full.warnings).toEqual([
    "context file .cursor/rules/100 is one more than 100; it and those after it are not read",
  ]);
});

test("what cannot be read is a warning, and a FIFO keeps nobody waiting", async () => {
  using folder = projectFolder();
  execFileSync("mkfifo", [join(folder.root, "AGENTS.md")]);
  symlinkSync("CLAUDE.md", join(folder.root, "CLAUDE.md"));
  mkdirSync(join(folder.root, "CRUSH.md"));
  expect(await seen(folder)).toEqual({
    files: [],
    warnings: [
      "context file AGENTS.md is not a file; it is not read",
      "context file CLAUDE.md cannot be read (ELOOP)",
    ],
  });
});

test("a stranger's folder below a home that is a worktree itself does not reach the rest of it", async () => {
  using folder = projectFolder();
  const cwd = join(folder.home, "downloads/strange");
  mkdirSync(join(folder.home, ".git"));
  folder.write(`${folder.home}/.ssh/id`, "private");
  folder.write(`${cwd}/AGENTS.md`, "agents");
  folder.write(`${cwd}/crush.json`, { options: { context_paths: ["../../.ssh/id"] } });
  expect(await seen(folder, { cwd })).toEqual({
    files: ["AGENTS.md: agents"],
    warnings: ["context file HOME/.ssh/id lies outside the project; it is not read"],
  });
});
