import { describe, expect, test } from "vitest";
import { commandVerdict, verdict } from "../../support/verdicts.ts";

const READ_ONLY = { readOnly: true };

describe("with --read-only a command that only reads is allowed", () => {
  test.each([
    "ls -la",
    "cat a | head -5 | wc -l",
    "git status",
    "git log --oneline -5",
    "git -C sub diff HEAD~1 -- a.ts",
    "git --no-pager show HEAD:a",
    "git branch -a",
    "git branch --show-current",
    "git tag -l 'v*'",
    "git remote -v",
    "git config --get user.name",
    "git stash list",
    "git grep -n foo",
    "find . -name '*.ts' -type f",
    'find "./$x" -newer a',
    "grep -rn foo src",
    "rg foo src",
    "sed -n '1,5p' a",
    "sed 's/a/b/g' a",
    "sed -n -e '/a/p' -e '$p' a",
    "awk -F: '{ print $1 }' /etc/passwd",
    "sort -u a | uniq -c",
    "cd src && ls",
    'for f in *.ts; do wc -l "$f"; done',
    "if [ -f a ]; then cat a; fi",
    "ls | xargs cat",
    "env",
    "command -v git",
    "node --version",
    "ls 2>/dev/null",
    "ls > /dev/null 2>&1",
    'x=$(git rev-parse HEAD); echo "$x"',
    "timeout 5 git status",
    "date +%s",
    "echo hi",
    "diff a b",
    "sh -c 'ls | wc -l'",
  ])("%s", async (command) => {
    expect(await commandVerdict(READ_ONLY, command)).toBe("allow");
  });
});

describe("with --read-only a command that may change something is denied", () => {
  test.each([
    "rm a",
    "touch a",
    "npm test",
    "make",
    "./script.sh",
    "sh script.sh",
    "git add a",
    "git commit -m x",
    "git push",
    "git checkout main",
    "git fetch",
    "git branch new",
    "git branch -D old",
    "git tag v1",
    "git remote add x y",
    "git config user.name x",
    "git config --get x --unset y",
    "git stash",
    "git stash pop",
    "git reflog expire --all",
    "git worktree add x",
    "git -c core.pager=evil log",
    "git -c alias.x=status x",
    "git --exec-path=/tmp status",
    "git --git-dir=evil status",
    "git diff --output=x",
    "git diff --outp x",
    "git log --ext-diff -p",
    "git grep -O foo",
    "git grep --open-files foo",
    "git $x",
    "git log $x",
    "git ls-remote --upload-pack=evil x",
    "find . -delete",
    "find . -exec cat {} +",
    "find . -fprint x",
    "find . $x",
    'find . "$x"',
    "sort -o a a",
    "sort -uo a a",
    "sort --outp=a a",
    "sort --compress-program=evil a",
    "sort $x",
    "uniq a b",
    "sed -i s/a/b/ f",
    "sed -i.bak s/a/b/ f",
    "sed --in-place s/a/b/ f",
    "sed 'w out' f",
    "sed 's/a/b/w out' f",
    "sed 's/a/b/e' f",
    "sed '1e rm x' f",
    "sed -f script f",
    "awk 'BEGIN { system(\"rm x\") }'",
    "awk '{ print > \"out\" }' f",
    "awk '{ print | \"sh\" }' f",
    "awk -f script f",
    "awk -i inplace '{ print }' f",
    "rg --pre evil foo",
    "date -s tomorrow",
    "date 01010000",
    "hostname evil",
    "tree -o x",
    "xxd -r a b",
    "yq -i .a f",
    "fd foo -x rm",
    "ls > out",
    "ls >> out",
    "ls >| out",
    "ls &> out",
    "ls > $x",
    "echo hi | tee out",
    "cat a | sh",
    "ls | xargs rm",
    "xargs -a list rm",
    "env X=1 ls",
    "PATH=/tmp ls",
    "LD_PRELOAD=./x.so ls",
    "sudo ls",
    "/tmp/ls",
    "./ls",
    "$x",
    "eval ls $x",
    "python3 -c 'print(1)'",
    "ls; rm a",
    "ls && (cat a || rm a)",
    "ls $(rm a)",
    "cat <(rm a)",
    "ls() { rm a; }; ls",
    "alias ls=rm; ls a",
    "trap 'rm a' EXIT",
    "curl https://x",
    "cp a b",
    "ls 'unclosed",
    "exec 3> out",
    ": > a",
  ])("%s", async (command) => {
    expect(await commandVerdict(READ_ONLY, command)).toBe("deny");
  });

  test("and no rule, no --on-ask allows it all the same", async () => {
    const rules = { ...READ_ONLY, allow: ["bash", "write", "*"], onAsk: "allow" } as const;
    expect(await commandVerdict(rules, "rm a")).toBe("deny");
    const path = { kind: "path", path: { real: "/work/a", written: "/work/a" } } as const;
    expect(await verdict(rules, "write", path)).toBe("deny");
    expect(await verdict(rules, "edit", path)).toBe("deny");
    expect(await verdict(rules, "view", path)).toBe("allow");
  });

  test("a deny rule and a narrowed bash still count", async () => {
    expect(await commandVerdict({ ...READ_ONLY, deny: ["bash(cat *)"] }, "cat a")).toBe("deny");
    expect(await commandVerdict({ ...READ_ONLY, allow: ["bash(git *)"] }, "cat a")).toBe("ask");
  });

  test("a tool of an MCP server only if a rule names it", async () => {
    const wish = { kind: "none" } as const;
    expect(await verdict(READ_ONLY, "mcp_docs_find", wish)).toBe("deny");
    expect(await verdict({ ...READ_ONLY, allow: ["*"] }, "mcp_docs_find", wish)).toBe("deny");
    expect(await verdict({ ...READ_ONLY, allow: ["mcp_docs_*"] }, "mcp_docs_find", wish)).toBe(
      "allow",
    );
  });
});
