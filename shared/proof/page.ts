import { type Html, html, style } from "../page/index.ts";
import { bytesInWords, countInWords, secondsInWords } from "../quantity/index.ts";
import { comparisonChart } from "./comparison-chart.ts";
import type { Finding } from "./finding.ts";
import { phaseChart } from "./phase-chart.ts";
import { headlineOf } from "./summary.ts";
import { trendChart } from "./trend-chart.ts";
import { byWeight } from "./verdict.ts";
import type { Verification } from "./verification.ts";

const MOST_ITEMS = 2_000;

/** A verification as one HTML file that needs nothing else: verdict, pictures, then the tables. */
export function verificationPage(verification: Verification): string {
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${headlineOf(verification)}</title>
<style>${style}</style>
</head>
<body>
<main>
${verdict(verification)}
${findings(verification)}
${section("Expected and found", comparisonChart(verification.items, verification.unit))}
${section("Size and time to restore, from backup to backup", trendChart(verification.trend))}
${section("Where the time went", phaseChart(verification.phases))}
${items(verification)}
${list("What this verification cannot know", verification.unknown)}
${facts(verification)}
${evidence(verification)}
<footer>Verified ${verification.verified}. Times are in UTC.</footer>
</main>
</body>
</html>
`;
  return document.text;
}

function verdict(verification: Verification): Html {
  const { backup, subject, storage, objectives, items, unit } = verification;
  const compared = items.filter(({ same }) => same !== undefined);
  const same = compared.filter((item) => item.same === true);
  const total = items.reduce((sum, { found }) => sum + (found ?? 0), 0);
  return html`<header class="${verification.verdict === "passed" ? "good" : "bad"}">
<p class="kicker">${backup} of ${subject}, in ${storage}</p>
<h1>${headlineOf(verification)}</h1>
<dl class="tiles">
${objective(objectives.age, objectives.rpo, "old when it was verified", "recovery point")}
${objective(objectives.restore, objectives.rto, "to restore it", "recovery time")}
${tile(`${countInWords(same.length)} of ${countInWords(compared.length)}`, `compared whole and the same; ${countInWords(total)} ${unit} found`)}
${tile(bytesInWords(verification.bytes), `${bytesInWords(verification.storedBytes)} as stored`)}
</dl>
${objectives.outlook === undefined ? "" : html`<p>${objectives.outlook}</p>`}
</header>`;
}

function objective(
  value: number | undefined,
  limit: number | undefined,
  words: string,
  name: string,
): Html {
  const allowed =
    limit === undefined ? `no ${name} objective given` : `${secondsInWords(limit)} allowed`;
  return value === undefined
    ? tile("–", `${name} was not measured`)
    : tile(secondsInWords(value), `${words}; ${allowed}`);
}

function tile(value: string, label: string): Html {
  return html`<div><dt>${label}</dt><dd>${value}</dd></div>`;
}

function section(title: string, picture: Html | undefined): Html {
  if (picture === undefined) return html``;
  return html`<section><h2>${title}</h2><figure>${picture}</figure></section>`;
}

const WORDS = { damage: "damage", doubt: "doubt", note: "note" } as const;

function findings({ findings }: Verification): Html {
  if (findings.length === 0) return html``;
  const row = ({ weight, detector, tier, subject, what, expected, found }: Finding) =>
    html`<tr><td class="left ${weight === "note" ? "soft" : "wrong"}">${WORDS[weight]}</td><td class="left">${subject}</td><td class="left wrap">${what}</td><td class="left wrap">${expected ?? ""}</td><td class="left wrap">${found ?? ""}</td><td class="left">${detector}, ${tier}</td></tr>`;
  return html`<h2>What was found</h2>
<div class="scroll"><table>
<thead><tr><th>Weight</th><th class="left">Where</th><th class="left">What</th><th class="left">Expected</th><th class="left">Found</th><th class="left">Detector</th></tr></thead>
<tbody>${byWeight(findings).map(row)}</tbody>
</table></div>`;
}

function items({ items, unit }: Verification): Html {
  if (items.length === 0) return html``;
  const shown = items.slice(0, MOST_ITEMS);
  const rest = items.length - shown.length;
  const rows = shown.map(
    ({ name, expected, found, same }) =>
      html`<tr><th scope="row">${name}</th><td>${number(expected)}</td><td>${number(found)}</td><td class="${same === false ? "wrong" : ""}">${sameness(same)}</td></tr>`,
  );
  return html`<h2>One by one</h2>
<div class="scroll"><table>
<thead><tr><th>Name</th><th>${unit} expected</th><th>${unit} found</th><th>Contents</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>
${rest > 0 ? html`<p>and ${countInWords(rest)} more, in the JSON report</p>` : ""}`;
}

function number(value: number | undefined): string {
  return value === undefined ? "not known" : countInWords(value);
}

function sameness(same: boolean | undefined): string {
  if (same === undefined) return "not compared";
  return same ? "the same" : "different";
}

function list(title: string, sentences: readonly string[]): Html {
  if (sentences.length === 0) return html``;
  return html`<section><h2>${title}</h2><ul>${sentences.map((sentence) => html`<li>${sentence}</li>`)}</ul></section>`;
}

function facts({ circumstances, tier, reached, verdict, trend }: Verification): Html {
  const all = {
    verdict,
    "tier asked for": tier,
    "tier reached": reached,
    "backups in the trend": String(trend.length),
    ...circumstances,
  };
  const rows = Object.entries(all).map(
    ([name, value]) =>
      html`<tr><th scope="row">${name}</th><td class="left wrap">${value}</td></tr>`,
  );
  return html`<h2>How it was done</h2><div class="scroll"><table><tbody>${rows}</tbody></table></div>`;
}

function evidence({ evidence }: Verification): Html {
  if (evidence.length === 0) return html``;
  const rows = evidence.map(
    ({ file, bytes, sha256 }) =>
      html`<tr><th scope="row">${file}</th><td>${bytesInWords(bytes)}</td><td class="left"><code>${sha256}</code></td></tr>`,
  );
  return html`<h2>Evidence</h2>
<div class="scroll"><table>
<thead><tr><th>File</th><th>Size</th><th class="left">SHA-256</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`;
}
