/** The whole style of an exported page; its hash stands in the page's content security policy. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #faf9f6; --card: #ffffff; --ink: #1d1c1a; --soft: #5f5b54; --line: #ddd9d0; --code: #f2efe8;
  --asked: #eaf0fa; --model: #3a6ac0; --tool: #0d8577; --failed: #c0362c; --in: #86a5dc; --out: #d8953a; --focus: #1a56c4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #141517; --card: #1c1e21; --ink: #e9e7e3; --soft: #a9a59d; --line: #34373c; --code: #24272b;
    --asked: #1b2738; --model: #7fa8ee; --tool: #4cb8a8; --failed: #ff8a7d; --in: #5a7dbd; --out: #dda357; --focus: #9cc2ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 2rem 1rem 4rem; background: var(--page); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
header, main, footer { max-width: 62rem; margin: 0 auto; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: .95rem; margin: 0 0 .5rem; display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline; }
h3 .by, h3 time { font-weight: 400; color: var(--soft); font-size: .85rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem 1.5rem; margin: 0; }
.wide { grid-column: span 2; }
dt { color: var(--soft); font-size: .8rem; }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .85em; }
code { background: var(--code); border-radius: .25rem; padding: .1em .3em; overflow-wrap: anywhere; }
pre {
  background: var(--code); border-radius: .4rem; padding: .75rem 1rem; margin: .5rem 0; max-height: 32rem; overflow: auto;
  white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.45;
}
.text { white-space: pre-wrap; overflow-wrap: anywhere; }
.text + .text, .text + pre, details + .text { margin-top: .6rem; }
article { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.25rem; margin: 0 0 1rem; }
article.user { background: var(--asked); }
details { border: 1px solid var(--line); border-radius: .4rem; padding: .4rem .75rem; margin: .6rem 0 0; }
summary { cursor: pointer; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
summary:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
summary .name { font-weight: 600; }
summary .gist { color: var(--soft); font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .85em; }
details h4 { font-size: .8rem; color: var(--soft); font-weight: 600; margin: .6rem 0 .25rem; }
.failed-call > summary .name, .bad { color: var(--failed); }
.note { color: var(--soft); font-size: .85rem; margin: .5rem 0 0; }
img { display: block; max-width: 100%; max-height: 30rem; margin: .6rem 0; border-radius: .4rem; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.25rem; }
.timeline { display: block; min-width: 46rem; width: 100%; height: auto; }
.timeline text { fill: var(--ink); font-size: 12px; font-variant-numeric: tabular-nums; white-space: pre; }
.timeline .head { font-weight: 600; }
.timeline .tick { fill: var(--soft); font-size: 11px; }
.timeline .rule { stroke: var(--line); stroke-width: 1; }
.timeline .model { fill: var(--model); } .timeline .tool { fill: var(--tool); } .timeline .failed { fill: var(--failed); }
.timeline .in { fill: var(--in); } .timeline .out { fill: var(--out); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; padding: 0; margin: .75rem 0 0; font-size: .85rem; color: var(--soft); }
.legend li::before { content: ""; display: inline-block; width: .8em; height: .8em; border-radius: .2em; margin-right: .4em; background: var(--model); }
.legend .tool::before { background: var(--tool); } .legend .failed::before { background: var(--failed); }
.legend .in::before { background: var(--in); } .legend .out::before { background: var(--out); }
.table { overflow-x: auto; margin-top: .5rem; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem 1.25rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
footer { color: var(--soft); font-size: .85rem; margin-top: 2rem; }
@media print { body { background: none; } article, .scroll { break-inside: avoid-page; } pre { max-height: none; } }
`;
