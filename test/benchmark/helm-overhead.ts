import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { Dock } from "../cluster/helm-upgrade/dock.ts";
import { up } from "../testbed/index.ts";
import { type Bench, median, type Result } from "./results.ts";

const run = promisify(execFile);

const WANTED = ["kubernetes", "registry", "images", "helm"];
/** A round is one upgrade by each of the two, one after the other. */
const ROUNDS = 8;
/** What an action may add to the tool that it drives, whichever of the two is more. */
const MOST = { ratio: 1.05, extraSeconds: 0.3 };
const RELEASE = "overhead";
const PLAIN = "plain";

/**
 * What helm-upgrade adds to a plain `helm upgrade --wait` where nothing goes wrong: two releases of
 * one chart are upgraded in turn, each time with another text, by the action as the runner starts
 * it and by Helm alone.
 */
export const helmOverhead: Bench = async (log) => {
  await up(WANTED, { log });
  await using dock = await Dock.open("bench-helm");
  const [ours, plain]: [number[], number[]] = [[], []];
  // The first installs pull the image and fill Helm's caches.
  await upgrade(dock, "first");
  await plainUpgrade(dock, "first");
  for (let round = 1; round <= ROUNDS; round += 1) {
    const turns = [
      async () => void plain.push(await plainUpgrade(dock, `text ${round}`)),
      async () => void ours.push(await upgrade(dock, `text ${round}`)),
    ];
    // Neither is always the first one.
    if (round % 2 === 0) turns.reverse();
    for (const turn of turns) await turn();
    log(`${round} of ${ROUNDS}: ${seconds(ours.at(-1))} s, plain ${seconds(plain.at(-1))} s`);
  }
  return resultsOf(median(ours), median(plain));
};

function seconds(value = Number.NaN): string {
  return value.toFixed(2);
}

async function upgrade(dock: Dock, text: string): Promise<number> {
  const step = await dock.ship({ release: RELEASE, values: `text: ${text}` });
  if (step.exitCode !== 0) throw new Error(`helm-upgrade failed:\n${step.stdout}${step.stderr}`);
  return step.milliseconds / 1_000;
}

async function plainUpgrade(dock: Dock, text: string): Promise<number> {
  const { bin, kubeconfig } = dock.box.endpoints;
  const web = JSON.parse(dock.images).web;
  const args = [
    ...["upgrade", "--install", "--wait", "--timeout=60s"],
    ...["--kubeconfig", kubeconfig, "--namespace", dock.box.namespace],
    ...["--set-string", `text=${text},image.digest=${web.digest}`],
    ...["--set-string", `image.repository=${web.repository},image.tag=${web.tag}`],
    ...[PLAIN, join(dock.runner.workspace, "chart")],
  ];
  const began = performance.now();
  await run(join(bin, "helm"), args);
  return (performance.now() - began) / 1_000;
}

/** One of the two bounds is enough: 5% of a short upgrade is less than any program's start. */
function resultsOf(ours: number, plain: number): readonly Result[] {
  const [ratio, extra] = [ours / plain, ours - plain];
  const either = ratio <= MOST.ratio || extra <= MOST.extraSeconds;
  return [
    { name: "seconds", value: ours, unit: "s", target: undefined },
    { name: "helm.seconds", value: plain, unit: "s", target: undefined },
    { name: "ratio", value: ratio, unit: "times", target: either ? undefined : MOST.ratio },
    {
      name: "extra-seconds",
      value: extra,
      unit: "s",
      target: either ? undefined : MOST.extraSeconds,
    },
  ];
}
