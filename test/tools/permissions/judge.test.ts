import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { tempDirectory } from "../../support/tool-context.ts";
import { verdict, type Judged, type RuleTexts } from "../../support/verdicts.ts";

const file = async (
  rules: RuleTexts,
  tool: string,
  path: string,
  { cwd = "/work", real = resolve(cwd, path) }: { cwd?: string; real?: string } = {},
): Promise<Judged> =>
  await verdict(rules, tool, { kind: "path", path: { real, written: resolve(cwd, path) } }, cwd);

const page = async (rules: RuleTexts, url: string): Promise<Judged> =>
  await verdict(rules, "fetch", { kind: "url", url: new URL(url) });

describe("files", () => {
  test.each<readonly [RuleTexts, string, string, Judged]>([
    [{}, "view", "a", "allow"],
    [{}, "write", "a", "allow"],
    [{}, "view", "/etc/hosts", "ask"],
    [{}, "write", "../x", "ask"],
    [{ allow: ["view(/etc/hosts)"] }, "view", "/etc/hosts", "allow"],
    [{ allow: ["view(/etc/hosts)"] }, "grep", "/etc/hosts", "allow"],
    [{ allow: ["view(/etc/hosts)"] }, "ls", "/etc/hosts", "ask"],
    [{ allow: ["view(/etc/hosts)"] }, "view", "/etc/passwd", "ask"],
    [{ allow: ["view(/etc/hosts)"] }, "view", "a", "allow"],
    [{ allow: ["view(/etc/**)"] }, "view", "/etc/ssl/x", "allow"],
    [{ allow: ["view(../libs/**)"] }, "view", "../libs/a", "allow"],
    [{ allow: ["view"] }, "view", "/etc/hosts", "allow"],
    [{ allow: ["view:read"] }, "view", "/etc/hosts", "allow"],
    [{ allow: ["view"] }, "grep", "/etc/hosts", "allow"],
    [{ allow: ["write"] }, "edit", "/etc/hosts", "allow"],
    [{ allow: ["edit"] }, "write", "/etc/hosts", "ask"],
    [{ allow: ["write(src/**)"] }, "write", "src/a/b", "allow"],
    [{ allow: ["write(src/**)"] }, "edit", "src/a", "allow"],
    [{ allow: ["write(src/**)"] }, "write", "a", "ask"],
    [{ allow: ["write(src/**)"] }, "write", "src/../a", "ask"],
    [{ allow: ["write(src/**)"] }, "view", "a", "allow"],
    [{ allow: ["edit(src/**)"] }, "write", "a", "allow"],
    [{ allow: ["write(./src/*.ts)"] }, "write", "src/a.ts", "allow"],
    [{ allow: ["write(./src/*.ts)"] }, "write", "src/b/a.ts", "ask"],
    [{ allow: ["write(/work/src/**)"] }, "write", "src/a", "allow"],
    [{ allow: ["write(/work/src/**)"] }, "write", "a", "ask"],
    [{ allow: ["write(/tmp/out/**)"] }, "write", "a", "allow"],
    [{ allow: ["write(src/**)", "write(/tmp/out/**)"] }, "write", "/tmp/out/x", "allow"],
    [{ allow: ["grep(src/**)"] }, "grep", "src", "allow"],
    [{ allow: ["grep(src/**)"] }, "grep", ".", "ask"],
    [{ deny: ["view(.env)"] }, "view", ".env", "deny"],
    [{ deny: ["view(.env)"] }, "view", "./sub/../.env", "deny"],
    [{ deny: ["view(**/.env)"] }, "view", "a/b/.env", "deny"],
    [{ deny: ["view(**/.env)"] }, "view", ".env", "deny"],
    [{ deny: ["view(.env)"] }, "grep", ".env", "deny"],
    [{ deny: ["write(.git)"] }, "write", ".git/config", "deny"],
    [{ deny: ["write(.git/)"] }, "write", ".git/config", "deny"],
    [{ deny: ["write(**/keys)"] }, "write", "a/keys/one", "deny"],
    [{ deny: ["write(.git)"] }, "write", ".gitignore", "allow"],
    [{ deny: ["view(*)"] }, "view", "a/b", "allow"],
    [{ allow: ["write(src/)"] }, "write", "src/a/b", "allow"],
    [{ allow: ["write(src/)"] }, "write", "a", "ask"],
    [{ allow: ["write(src)"] }, "write", "src/a", "ask"],
    [{ deny: ["view(.env)"] }, "write", ".env", "allow"],
    [{ deny: ["write(.env)"] }, "edit", ".env", "deny"],
    [{ deny: ["write"] }, "edit", "a", "deny"],
    [{ deny: ["*"] }, "view", "a", "deny"],
    [{ deny: ["view(/etc/**)"], allow: ["view"] }, "view", "/etc/hosts", "deny"],
    [{ deny: ["view(/etc/**)"], yolo: true }, "view", "/etc/hosts", "deny"],
    [{ yolo: true }, "write", "/etc/hosts", "allow"],
    [{ onAsk: "allow" }, "view", "/etc/hosts", "allow"],
    [{ narrow: ["write(src/**)"] }, "write", "a", "ask"],
    [{ narrow: ["write(src/**)"], allow: ["write(a)"] }, "write", "a", "allow"],
    [{ narrow: ["view(/etc/hosts)"] }, "view", "/etc/hosts", "ask"],
  ])("%j: %s %s: %s", async (rules, tool, path, expected) => {
    expect(await file(rules, tool, path)).toBe(expected);
  });

  test("a link is what it points to, for the file and for the rule", async () => {
    using temp = tempDirectory();
    const cwd = join(realpathSync(temp.path), "work");
    const away = join(realpathSync(temp.path), "away");
    mkdirSync(cwd);
    mkdirSync(away);
    writeFileSync(join(away, "secret"), "s");
    symlinkSync(away, join(cwd, "link"));
    const at = { cwd, real: join(away, "secret") };
    expect(await file({ allow: ["view(src/**)"] }, "view", "link/secret", at)).toBe("ask");
    expect(await file({}, "view", "link/secret", at)).toBe("ask");
    expect(await file({ allow: ["view(link/**)"] }, "view", "link/secret", at)).toBe("allow");
    expect(await file({ deny: [`view(${away}/**)`] }, "view", "link/secret", at)).toBe("deny");
    const straight = { cwd };
    expect(await file({ deny: ["view(link/**)"] }, "view", "../away/secret", straight)).toBe(
      "deny",
    );
  });
});

describe("addresses", () => {
  const DOCS = { allow: ["fetch(https://docs.example.com/*)"] };
  test.each<readonly [RuleTexts, string, Judged]>([
    [{}, "https://anything.net/", "allow"],
    [{ deny: ["fetch"] }, "https://anything.net/", "deny"],
    [{ deny: ["fetch:fetch"] }, "https://anything.net/", "deny"],
    [DOCS, "https://docs.example.com/a/b?c=d", "allow"],
    [DOCS, "https://DOCS.example.com/", "allow"],
    [DOCS, "https://docs.example.com./", "allow"],
    [DOCS, "https://docs.example.com:443/", "allow"],
    [DOCS, "https://docs.example.com:8443/", "ask"],
    [DOCS, "http://docs.example.com/", "ask"],
    [DOCS, "https://docs.example.com.evil.net/", "ask"],
    [DOCS, "https://docs.example.com@evil.net/", "ask"],
    [DOCS, "https://evil.net/https://docs.example.com/", "ask"],
    [DOCS, "https://evil.net#docs.example.com/", "ask"],
    [DOCS, "https://me:pw@docs.example.com/", "ask"],
    [DOCS, "https:\\\\docs.example.com\\a", "allow"],
    [{ allow: ["fetch(https://docs.example.com*)"] }, "https://docs.example.com/a", "allow"],
    [{ allow: ["fetch(https://docs.example.com*)"] }, "https://docs.example.com.evil.net/", "ask"],
    [{ allow: ["fetch(https://docs.example.com*)"] }, "https://docs.example.community/", "ask"],
    [{ allow: ["fetch(https://docs.*)"] }, "https://docs.rs/", "allow"],
    [{ allow: ["fetch(https://docs.*)"] }, "https://docs.python.org/3/", "allow"],
    [{ allow: ["fetch(https://docs.*)"] }, "https://evil.net/docs.", "ask"],
    [{ allow: ["fetch(https://docs.*)"] }, "https://docs/", "ask"],
    [{ allow: ["fetch(*.example.com)"] }, "http://a.b.example.com/x", "allow"],
    [{ allow: ["fetch(*.example.com)"] }, "http://example.com/", "ask"],
    [{ allow: ["fetch(*.example.com)"] }, "http://evil-example.com/", "ask"],
    [{ allow: ["fetch(https://api-*.example.com)"] }, "https://api-1.example.com/", "allow"],
    [{ allow: ["fetch(https://api-*.example.com)"] }, "https://api-1.x.example.com/", "ask"],
    [{ allow: ["fetch(http://localhost:*)"] }, "http://localhost:8080/", "allow"],
    [{ allow: ["fetch(http://localhost:8080)"] }, "http://localhost:8081/", "ask"],
    [{ allow: ["fetch(https://x.net/a)"] }, "https://x.net/a", "allow"],
    [{ allow: ["fetch(https://x.net/a)"] }, "https://x.net/a?b", "ask"],
    [{ allow: ["fetch(https://x.net/a/*)"] }, "https://x.net/a/../b", "ask"],
    [{ allow: ["fetch(https://x.net/a/*)"] }, "https://x.net/a/%2e%2e/b", "ask"],
    [{ allow: ["fetch(http://[::1]:80/*)"] }, "http://[::1]/a", "allow"],
    [{ deny: ["fetch(evil.net)"] }, "http://evil.net:8080/x", "deny"],
    [{ deny: ["fetch(evil.net)"] }, "https://me@evil.net/", "deny"],
    [{ allow: ["fetch(https://x.net/a/*)"] }, "https://x.net/a/..%2fb", "ask"],
    [{ allow: ["fetch(*.münchen.de)"] }, "https://www.münchen.de/", "allow"],
    [{ deny: ["fetch(*.münchen.de)"] }, "https://www.münchen.de/", "deny"],
    [{ deny: ["fetch(127.0.0.1)"] }, "http://[::ffff:127.0.0.1]/", "deny"],
    [{ deny: ["fetch(*evil*)"] }, "https://www.evil.net/", "deny"],
    [{ deny: ["fetch(x.net/private*)"] }, "https://x.net//private", "deny"],
    [{ deny: ["fetch(x.net/private)"] }, "https://x.net/private?a", "deny"],
    [{ deny: ["fetch(x.net/private)"] }, "https://x.net/private/", "deny"],
    [{ deny: ["fetch(x.net/private)"] }, "https://x.net/privately", "allow"],
    [{ deny: ["fetch(x.net/private/*)"] }, "https://x.net/%70rivate/a", "deny"],
    [{ deny: ["fetch(evil.net)"], yolo: true }, "https://evil.net/", "deny"],
    [{ readOnly: true }, "https://anything.net/", "allow"],
  ])("%j: %s: %s", async (rules, url, expected) => {
    expect(await page(rules, url)).toBe(expected);
  });
});

test.each<readonly [RuleTexts, Judged]>([
  [{}, "allow"],
  [{ deny: ["mcp_docs_*"] }, "deny"],
  [{ deny: ["mcp_docs_find"] }, "deny"],
  [{ deny: ["mcp_docs_find:execute"] }, "deny"],
  [{ deny: ["mcp_other_*"] }, "allow"],
  [{ deny: ["mcp_*"], allow: ["mcp_docs_find"], yolo: true }, "deny"],
  [{ deny: ["*"] }, "deny"],
])("a tool of an MCP server is judged by its name: %j: %s", async (rules, expected) => {
  expect(await verdict(rules, "mcp_docs_find", { kind: "none" })).toBe(expected);
});
