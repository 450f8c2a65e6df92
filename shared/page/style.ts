import { Html } from "./html.ts";

/** The page's look, in light and dark. */
export const style = new Html(`
:root {
  --paper: #f7f8fa; --card: #ffffff; --ink: #18212b; --soft: #5b6876; --line: #dde2e8;
  --good: #1a7f4b; --bad: #c0332b; --warn: #b26a00; --calm: #3b6fb5;
  --good-fill: #7cc7a0; --bad-fill: #e58b84; --warn-fill: #f0c377; --calm-fill: #9dbbe3;
  --idle-fill: #ccd4dd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #10161d; --card: #18212b; --ink: #e6ebf0; --soft: #9aa7b4; --line: #2c3845;
    --good: #63d297; --bad: #ff8a80; --warn: #f2b84b; --calm: #8db8f2;
    --good-fill: #2c7a52; --bad-fill: #a33f38; --warn-fill: #8f6420; --calm-fill: #38597f;
    --idle-fill: #3b4754;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
main { max-width: 1080px; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { margin: 0 0 1.25rem; font-size: clamp(1.5rem, 4vw, 2.1rem); line-height: 1.2; letter-spacing: -.01em; }
h2 { margin: 0 0 .35rem; font-size: 1.15rem; line-height: 1.35; }
p { margin: 0 0 .75rem; }
.kicker { margin: 0 0 .25rem; color: var(--soft); font-size: .85rem; letter-spacing: .04em; }
header, section {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 1.5rem; margin-bottom: 1.5rem;
}
header { border-top: 5px solid var(--good); }
header.bad { border-top-color: var(--bad); }
header.bad li { color: var(--bad); }
main > h2 { margin: 2.25rem 0 .75rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 1rem; margin: 0; }
.tiles div { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.tiles dt { color: var(--soft); font-size: .9rem; line-height: 1.4; }
.tiles dd { margin: 0; font-size: 1.9rem; font-weight: 650; font-variant-numeric: tabular-nums; }
blockquote {
  margin: 0 0 1.25rem; padding: .65rem .9rem; border-left: 3px solid var(--bad);
  background: var(--paper); border-radius: 0 6px 6px 0;
  font: .85rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere;
}
figure { margin: 0; overflow-x: auto; }
svg { display: block; width: 100%; min-width: 680px; height: auto; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg .soft { fill: var(--soft); }
svg .small { font-size: 11px; }
svg .grid { stroke: var(--line); }
svg .good { fill: var(--good-fill); } svg .bad { fill: var(--bad-fill); }
svg .warn { fill: var(--warn-fill); } svg .calm { fill: var(--calm-fill); }
svg .idle { fill: var(--idle-fill); }
svg .mark { stroke-width: 1.5; }
svg .mark.seen { stroke: var(--warn); stroke-dasharray: 4 3; } svg .mark.verdict { stroke: var(--bad); }
svg .mark.over { stroke: var(--good); }
svg text.seen { fill: var(--warn); } svg text.verdict { fill: var(--bad); } svg text.over { fill: var(--good); }
svg text.seen, svg text.verdict, svg text.over {
  font-weight: 600; paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round;
}
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 12px; background: var(--card); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .6rem .8rem; text-align: right; white-space: nowrap; }
th:first-child, th.left, td.left { text-align: left; }
td.wrap { white-space: normal; overflow-wrap: anywhere; }
td.wrong { color: var(--bad); } td.soft { color: var(--soft); }
thead th { color: var(--soft); font-weight: 500; border-bottom: 1px solid var(--line); }
tbody tr + tr > * { border-top: 1px solid var(--line); }
.scroll + section { margin-top: 1.5rem; }
footer { margin-top: 1.25rem; color: var(--soft); font-size: .85rem; }
@media print { header, section { break-inside: avoid; } }
`);
