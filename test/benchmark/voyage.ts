import { randomBytes } from "node:crypto";
import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { CommandFailed, execute } from "../../shared/process/index.ts";
import { Secrets } from "../../shared/secrets/index.ts";
import { type Endpoints, up, variables } from "../testbed/index.ts";
import { type Bench, median } from "./results.ts";

const ROUNDS = 5;
const TARGET = 1.1;
const ROOT = join(import.meta.dirname, "..", "..");
const WANTED = ["kubernetes", "registry", "buildkit", "node-image", "helm", "kubectl"];
const PARTS = ["build", "upgrade", "ask"] as const;
type Part = (typeof PARTS)[number];

/** One way of shipping the quickstart, with a source tree, a repository and a namespace of its own. */
interface Way {
  readonly name: string;
  readonly folder: string;
  readonly namespace: string;
  readonly registry: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly nodeImage: string;
  ship(way: Way): Promise<Readonly<Record<Part, number>>>;
  readonly totals: number[];
  readonly parts: Record<Part, number[]>;
}

/**
 * From a change of the source to proven traffic: the built actions one after the other, as a runner
 * runs them, against the same steps by docker, helm and curl in a shell. In turn, in one run.
 */
export const voyage: Bench = async (log) => {
  const endpoints = await up(WANTED, { log });
  const folder = await mkdtemp(join(tmpdir(), "seaworthy-voyage-"));
  const ways = [
    await makeWay("actions", folder, endpoints, shipByActions),
    await makeWay("script", folder, endpoints, shipByScript),
  ] as const;
  try {
    // Both releases exist and all that is shared is in the cache before the clock runs.
    for (const way of ways) await way.ship(way);
    for (let round = 1; round <= ROUNDS; round += 1) {
      const order = round % 2 === 1 ? ways : [...ways].reverse();
      for (const way of order) await measure(way, round);
      log(
        `Round ${round}: ${ways.map((way) => `${way.name} ${told(way.totals.at(-1))}`).join(", ")}`,
      );
    }
    const [ours, theirs] = ways;
    for (const part of PARTS) {
      log(
        `${part}: actions ${told(median(ours.parts[part]))}, script ${told(median(theirs.parts[part]))}`,
      );
    }
    const [a, b] = [median(ours.totals), median(theirs.totals)];
    return [
      { name: "ratio", value: a / b, unit: "times", target: TARGET },
      { name: "actions", value: a / 1_000, unit: "s", target: undefined },
      { name: "script", value: b / 1_000, unit: "s", target: undefined },
    ];
  } finally {
    await Promise.all(ways.map(removeWay));
    await rm(folder, { recursive: true, force: true });
  }
};

async function makeWay(
  name: string,
  parent: string,
  endpoints: Endpoints,
  ship: Way["ship"],
): Promise<Way> {
  const folder = join(parent, name);
  const namespace = `bench-voyage-${name}-${randomBytes(3).toString("hex")}`;
  await cp(join(ROOT, "examples", "quickstart"), folder, {
    recursive: true,
    filter: (source) => !source.endsWith("/node_modules"),
  });
  const { PATH, ...rest } = variables(endpoints);
  return {
    name,
    folder,
    namespace,
    registry: `${endpoints.registry}/${namespace}`,
    environment: { ...rest, PATH: [PATH, process.env.PATH].join(delimiter) },
    nodeImage: endpoints.nodeImage,
    ship,
    totals: [],
    parts: { build: [], upgrade: [], ask: [] },
  };
}

async function measure(way: Way, round: number): Promise<void> {
  await appendFile(join(way.folder, "src", "main.ts"), `// ${way.name}, round ${round}\n`);
  const parts = await way.ship(way);
  for (const part of PARTS) way.parts[part].push(parts[part]);
  way.totals.push(PARTS.reduce((sum, part) => sum + parts[part], 0));
}

async function removeWay(way: Way): Promise<void> {
  await call(way, "kubectl", [
    "delete",
    "namespace",
    way.namespace,
    "--ignore-not-found",
    "--wait=false",
  ]);
}

/** Build and push, upgrade and wait, ask: each a process of the built file, as on a runner. */
async function shipByActions(way: Way): Promise<Readonly<Record<Part, number>>> {
  const { folder, namespace, registry, nodeImage, environment } = way;
  const service = { name: "quickstart", context: ".", "build-args": { BASE_IMAGE: nodeImage } };
  const build = await act(way, "build-push", {
    registry,
    services: JSON.stringify([service]),
    tags: randomBytes(8).toString("hex"),
  });
  const upgrade = await act(way, "helm-upgrade", {
    release: "quickstart",
    chart: join(folder, "chart"),
    namespace,
    "create-namespace": "true",
    images: build.outputs.images ?? "",
    kubeconfig: environment.KUBECONFIG ?? "",
  });
  const ask = await act(way, "smoke-test", {
    service: "quickstart",
    namespace,
    kubeconfig: environment.KUBECONFIG ?? "",
  });
  return { build: build.milliseconds, upgrade: upgrade.milliseconds, ask: ask.milliseconds };
}

async function act(way: Way, action: string, inputs: Readonly<Record<string, string>>) {
  const output = join(way.folder, "..", `${action}.output`);
  await writeFile(output, "");
  const given = Object.entries(inputs).map(([name, value]) => [
    `INPUT_${name.toUpperCase()}`,
    value,
  ]);
  const { milliseconds } = await call(
    way,
    process.execPath,
    [join(ROOT, "dist", action, "index.js")],
    {
      ...Object.fromEntries(given),
      GITHUB_OUTPUT: output,
      GITHUB_WORKSPACE: way.folder,
      GITHUB_SHA: randomBytes(20).toString("hex"),
      RUNNER_TEMP: join(way.folder, ".."),
    },
  );
  return { milliseconds, outputs: readOutputs(await readFile(output, "utf8")) };
}

/** `name<<delimiter`, lines, `delimiter`, as @actions/core writes them. */
function readOutputs(text: string): Readonly<Record<string, string>> {
  const found = text.matchAll(/^(.+?)<<(.+)\r?\n([\s\S]*?)\r?\n\2$/gm);
  return Object.fromEntries([...found].map(([, name, , value]) => [name, value]));
}

const BUILD = `
docker buildx build --push --quiet --build-arg "BASE_IMAGE=$NODE_IMAGE" --tag "$IMAGE:$TAG" .
`;
const UPGRADE = `
helm upgrade --install quickstart chart --namespace "$NAMESPACE" --create-namespace --wait \\
  --set "image.repository=$IMAGE" --set-string "image.tag=$TAG"
`;
const ASK = `
exec 3< <(exec kubectl --namespace "$NAMESPACE" port-forward service/quickstart :80)
forward=$!
trap 'kill $forward' EXIT
read -r _ _ address _ <&3
curl --silent --show-error --fail --retry 10 --retry-delay 1 --retry-connrefused "http://$address/"
`;

/** The same by hand: what a team's own script would hold. */
async function shipByScript(way: Way): Promise<Readonly<Record<Part, number>>> {
  const environment = {
    IMAGE: `${way.registry}/quickstart`,
    TAG: randomBytes(8).toString("hex"),
    NAMESPACE: way.namespace,
    NODE_IMAGE: way.nodeImage,
  };
  const shell = async (program: string) =>
    (await call(way, "bash", ["-euo", "pipefail", "-c", program], environment)).milliseconds;
  return { build: await shell(BUILD), upgrade: await shell(UPGRADE), ask: await shell(ASK) };
}

async function call(
  way: Way,
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
) {
  try {
    return await execute(
      { program, args, directory: way.folder, environment: { ...way.environment, ...environment } },
      { signal: new AbortController().signal, secrets: new Secrets(), deadline: 300_000 },
    );
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    throw new Error(`${way.name}: ${error.message}\n${error.stdoutTail}\n${error.stderrTail}`);
  }
}

function told(milliseconds: number | undefined): string {
  return `${((milliseconds ?? Number.NaN) / 1_000).toFixed(2)} s`;
}
