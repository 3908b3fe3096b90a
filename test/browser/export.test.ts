import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { htmlOf } from "../../src/transcript/html.ts";
import { message, NOON, PIXEL, transcript, withEverywhere } from "../support/a-transcript.ts";
import { startChromium, type Browser, type Page } from "../support/chromium.ts";
import { crushPlace } from "../support/crush.ts";
import { startFakeProvider } from "../support/fake-provider.ts";

let browser: Browser;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "crush-pages-"));
  browser = startChromium();
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Where the pictures of the pages are kept for a person to look at; nowhere unless somebody wants them. */
const SHOTS = process.env["CRUSH_TEST_SHOTS"];

function keep(name: string, png: string): void {
  if (SHOTS === undefined) return;
  mkdirSync(SHOTS, { recursive: true });
  writeFileSync(join(SHOTS, `${name}.png`), png, "base64");
}

async function opened(html: string): Promise<Page> {
  const path = join(folder, "page.html");
  writeFileSync(path, html);
  const page = await browser.open(path);
  await page.resize(1100, 900);
  return page;
}

const nothingHappened = (page: Page): void => {
  expect(page.complaints).toEqual([]);
  expect(page.requests.filter((url) => !url.startsWith("data:")).slice(1)).toEqual([]);
};

/** How light a picture is on average, of 255, and how many colours it has. */
async function looksOf(png: string): Promise<{ readonly light: number; readonly colours: number }> {
  const page = await browser.blank();
  return await page.evaluate(`(async () => {
    const image = new Image();
    image.src = "data:image/png;base64,${png}";
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    const colours = new Set();
    let sum = 0;
    for (let at = 0; at < data.length; at += 4) {
      colours.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
      sum += (data[at] + data[at + 1] + data[at + 2]) / 3;
    }
    return { light: sum / (data.length / 4), colours: colours.size };
  })()`);
}

async function inBothSchemes(name: string, page: Page): Promise<void> {
  await page.prefer("light");
  const light = await page.screenshot();
  await page.prefer("dark");
  const dark = await page.screenshot();
  keep(`${name}-light`, light);
  keep(`${name}-dark`, dark);
  const [day, night] = [await looksOf(light), await looksOf(dark)];
  for (const { colours } of [day, night]) expect(colours).toBeGreaterThan(50);
  expect(day.light).toBeGreaterThan(200);
  expect(night.light).toBeLessThan(60);
}

test("the page of a real session renders in both schemes, asks for nothing, and folds its tool calls", async () => {
  await using provider = await startFakeProvider([
    {
      text: "I look first.",
      toolCalls: [{ id: "a", name: "bash", input: { command: "echo hello; sleep 0.2" } }],
      usage: { input: 900, output: 40 },
    },
    {
      toolCalls: [{ id: "b", name: "view", input: { path: "missing.ts" } }],
      usage: { input: 1400, output: 25 },
    },
    {
      text: "It prints **hello**:\n\n```sh\necho hello\n```\n\nRun `sh` to see it.",
      usage: { input: 1700, output: 210 },
    },
  ]);
  await using place = crushPlace({ provider });
  expect((await place.run(["run", "What does the script print, and why?"])).status).toBe(0);
  const file = join(place.work, "page.html");
  const [last] = JSON.parse((await place.run(["session", "list", "--json"])).stdout.toString()) as {
    id: string;
  }[];
  const exported = await place.run(["session", "export", last?.id ?? "", "-o", file]);
  expect([exported.status, exported.stdout.toString(), exported.stderr.toString()]).toEqual([
    0,
    "",
    "",
  ]);
  const page = await browser.open(file);
  await page.resize(1100, 900);
  expect(await page.evaluate("document.title")).toBe("What does the script print, and why?");
  expect(await page.evaluate("document.documentElement.lang")).toBe("en");
  expect(
    await page.evaluate("[...document.querySelectorAll('h1,h2')].map((one) => one.textContent)"),
  ).toEqual(["What does the script print, and why?", "Timeline", "Conversation"]);
  const [width, height, bars] = await page.evaluate<number[]>(`(() => {
    const svg = document.querySelector("svg");
    const { width, height } = svg.getBoundingClientRect();
    const bars = [...svg.querySelectorAll("rect")].filter((bar) => bar.getBoundingClientRect().width > 1);
    return [width, height, bars.length];
  })()`);
  expect(width).toBeGreaterThan(600);
  expect(height).toBeGreaterThan(100);
  expect(bars).toBe(11);
  expect(
    await page.evaluate(
      "[...document.querySelectorAll('details')].filter((one) => one.open).length",
    ),
  ).toBe(0);
  const seen = "document.querySelector('article details pre').checkVisibility()";
  expect(await page.evaluate(seen)).toBe(false);
  await page.evaluate("document.querySelector('article summary').focus()");
  await page.press("Enter");
  expect(await page.evaluate(seen)).toBe(true);
  await inBothSchemes("session", page);
  nothingHappened(page);
});

const HOSTILE = [
  "<script>document.title = 'owned'</script>",
  '"><img src=x onerror="document.title = \'owned\'">',
  "</title></style><svg onload=\"document.title = 'owned'\">",
  "<iframe src='javascript:parent.document.title = \"owned\"'></iframe>",
  "<style>body { background: url(https://example.invalid/x) }</style>",
  "<meta http-equiv=refresh content='0; url=https://example.invalid/'>",
  "<a href='javascript:document.title = \"owned\"' autofocus onfocus=\"document.title = 'owned'\">x</a>",
];

test.each(HOSTILE)("a session full of %s executes nothing and loads nothing", async (text) => {
  const page = await opened(htmlOf(withEverywhere(text)));
  expect(await page.evaluate("document.title")).toBe(text);
  expect(
    await page.evaluate(
      "document.querySelectorAll('script, iframe, link, object, embed, form, a, [onload], [onerror], [onfocus], [style]').length",
    ),
  ).toBe(0);
  expect(await page.evaluate("document.querySelectorAll('img').length")).toBe(1);
  expect(await page.evaluate("document.querySelectorAll('style, body, main, svg').length")).toBe(4);
  nothingHappened(page);
});

test("the policy of the page holds even what would slip through", async () => {
  const slipped = `<script>document.title = "owned"</script><img src="http://127.0.0.1:9/x"><p style="display:none">x</p>`;
  const html = htmlOf(transcript([])).replace("<footer>", `${slipped}<footer>`);
  const page = await opened(html);
  expect(await page.evaluate("document.title")).toBe("Fix the bug");
  expect(await page.evaluate("getComputedStyle(document.querySelector('p[style]')).display")).toBe(
    "block",
  );
  expect(
    page.complaints.filter((one) => one.includes("Content Security Policy")).length,
  ).toBeGreaterThanOrEqual(3);
});

test("a long conversation with a huge output and pictures opens quickly, and fits a telephone", async () => {
  const ms = NOON * 1000;
  const usage = (n: number) => ({
    inputTokens: 500 * n,
    cachedInputTokens: 0,
    outputTokens: 10 * n,
    reasoningTokens: 0,
  });
  const turn = (n: number) => [
    message("user", [
      { type: "text", text: `Question ${n}: why does the build fail on the second machine?` },
      { type: "binary", path: "dot.png", mimeType: "image/png", data: PIXEL },
    ]),
    message("assistant", [
      { type: "reasoning", thinking: "It may be the cache." },
      { type: "text", text: "I look at the log of the build first, then at its cache." },
      {
        type: "tool_call",
        id: `c${n}`,
        name: "bash",
        input: '{"command":"cat build.log"}',
        finished: true,
      },
      {
        type: "finish",
        reason: "tool_use",
        time: NOON,
        step: { startedMs: ms, endedMs: ms + 900 * n, usage: usage(n) },
      },
    ]),
    message("tool", [
      {
        type: "tool_result",
        toolCallId: `c${n}`,
        name: "bash",
        content: "line of a log\n".repeat(80_000),
        isError: n % 3 === 0,
        metadata: "",
        span: { startedMs: ms + 900 * n, endedMs: ms + 1500 * n },
      },
    ]),
    message("assistant", [
      {
        type: "text",
        text: `The cache is stale.\n\n- remove \`node_modules/.cache\`\n- run it again\n\n${"A sentence that goes on for a while. ".repeat(8)}`,
      },
      {
        type: "finish",
        reason: "end_turn",
        time: NOON,
        step: { startedMs: ms + 1500 * n, endedMs: ms + 2600 * n, usage: usage(n + 1) },
      },
    ]),
  ];
  const html = htmlOf(transcript(Array.from({ length: 12 }, (_, n) => turn(n + 1)).flat()));
  const page = await opened(html);
  expect(
    await page.evaluate<number>(
      "performance.timing.loadEventStart - performance.timing.navigationStart",
    ),
  ).toBeLessThan(10_000);
  expect(
    await page.evaluate("[...document.images].filter((one) => one.naturalWidth > 0).length"),
  ).toBe(12);
  await inBothSchemes("long", page);
  await page.resize(390, 844);
  keep("telephone", await page.screenshot());
  expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBeLessThanOrEqual(
    390,
  );
  nothingHappened(page);
});

test.each(["light", "dark"] as const)(
  "every text of the page can be told from what is behind it: %s",
  async (scheme) => {
    const page = await opened(htmlOf(withEverywhere("some text")));
    await page.prefer(scheme);
    await page.evaluate(
      "document.querySelectorAll('details').forEach((one) => { one.open = true; })",
    );
    const poor = await page.evaluate(`(() => {
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = (colour) => numbers(colour).slice(0, 3).map((part) => part / 255)
      .map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
      .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
    const behind = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const colour = getComputedStyle(at).backgroundColor;
        if (!/, 0\\)$/.test(colour)) return colour;
      }
      return "rgb(255, 255, 255)";
    };
    const poor = [];
    for (const element of document.querySelectorAll("body *:not(rect, line, title, desc, style)")) {
      if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
      const style = getComputedStyle(element);
      const ink = light(element instanceof SVGElement ? style.fill : style.color);
      const page = light(behind(element));
      const contrast = (Math.max(ink, page) + 0.05) / (Math.min(ink, page) + 0.05);
      if (contrast < 4.5) poor.push([element.tagName, element.className.baseVal ?? element.className, contrast]);
    }
    return poor;
  })()`);
    expect(poor).toEqual([]);
  },
);
