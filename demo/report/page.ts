import { type Html, html, style } from "../../shared/page/index.ts";
import { type FaultResult, problemsOf, verdictSeconds } from "../result.ts";
import { timeline } from "./timeline.ts";

/** The demo's report: verdict first, then a picture of each fault, then the numbers. */
export function page(results: readonly FaultResult[], at: Date): string {
  const problems = results.flatMap(problemsOf);
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Seaworthy: what the demo showed</title>
<style>${style}</style>
</head>
<body>
<main>
${verdict(results, problems)}
${results.map(section)}
<h2>In numbers</h2>
${table(results)}
<footer>Made on ${at.toISOString().slice(0, 16).replace("T", " ")} UTC. “Cause visible” is the moment at which a watch of the demo’s own first saw the fault in the Kubernetes API; the verdict is the line that the action printed, read by the same clock.</footer>
</main>
</body>
</html>
`;
  return document.text;
}

function verdict(results: readonly FaultResult[], problems: readonly string[]): Html {
  const well = problems.length === 0;
  const requests = results.reduce((sum, { traffic }) => sum + traffic.requests, 0);
  const failed = results.reduce((sum, { traffic }) => sum + traffic.failed, 0);
  const slowest = Math.max(...results.map((result) => verdictSeconds(result) ?? 0));
  const caught = results.filter((result) => problemsOf(result).length === 0).length;
  return html`<header class="${well ? "good" : "bad"}">
<p class="kicker">Seaworthy demo</p>
<h1>${well ? "Every broken version was caught and rolled back" : "It did not go as it should"}</h1>
<dl class="tiles">
${tile(`${caught} of ${results.length}`, "broken versions caught and rolled back")}
${tile(`${slowest.toFixed(2)} s`, "from the cause being visible to the verdict, at most")}
${tile(`${failed} of ${requests.toLocaleString("en")}`, "client requests failed")}
</dl>
${problems.length === 0 ? "" : html`<ul>${problems.map((problem) => html`<li>${problem}</li>`)}</ul>`}
</header>`;
}

function tile(value: string, label: string): Html {
  return html`<div><dt>${label}</dt><dd>${value}</dd></div>`;
}

function section(result: FaultResult): Html {
  const seconds = verdictSeconds(result);
  return html`<section>
<h2>Version ${result.version}: ${result.story}</h2>
<p>${seconds === undefined ? "Not caught." : `Caught ${seconds.toFixed(2)} s after the cluster showed its cause${result.rolledBack ? ", and rolled back" : ", but not rolled back"}.`}</p>
<blockquote>${result.cause || "No cause was told."}</blockquote>
<figure>${timeline(result)}</figure>
</section>`;
}

function table(results: readonly FaultResult[]): Html {
  const rows = results.map((result) => {
    const { traffic } = result;
    const seconds = verdictSeconds(result);
    return html`<tr>
<th scope="row">${result.fault}</th>
<td>${clock(result.seenAt)}</td>
<td>${clock(result.verdictAt)}</td>
<td>${seconds === undefined ? "–" : `${seconds.toFixed(2)} s`}</td>
<td>${clock(result.endedAt)}</td>
<td>${result.rolledBack ? "yes" : "no"}</td>
<td>${traffic.requests.toLocaleString("en")}</td>
<td>${traffic.failed}</td>
<td>${traffic.slowestMs} ms</td>
<td>${Object.keys(traffic.versions).join(", ")}</td>
</tr>`;
  });
  return html`<div class="scroll"><table>
<thead><tr><th>Fault</th><th>Cause visible</th><th>Verdict</th><th>Between</th><th>All over</th><th>Rolled back</th><th>Requests</th><th>Failed</th><th>Slowest</th><th>Answered by</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`;
}

function clock(seconds: number | undefined): string {
  return seconds === undefined ? "–" : `${seconds.toFixed(1)} s`;
}
