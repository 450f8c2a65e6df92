import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { type KubernetesObject, nameOf, type ObjectRef } from "../../shared/kubernetes/index.ts";
import { CommandFailed, execute } from "../../shared/process/index.ts";
import { Secrets } from "../../shared/secrets/index.ts";
import type { BrokenCase, HealthyCase, Scene } from "../corpus/index.ts";
import { bundleOf, runStep } from "../runner/index.ts";
import { type Endpoints, variables } from "../testbed/index.ts";

/** One way of rolling something out and waiting until it is. */
export interface Tool {
  readonly name: string;
  /** Brings up the revision that is there before, if there is one. */
  deployFirst(scene: Scene): Promise<void>;
  /** Rolls the revision in question out, to the verdict. */
  rollOut(scene: Scene, one: BrokenCase | HealthyCase): Promise<Answer>;
}

export interface Answer {
  readonly passed: boolean;
  /** What a user is told at the end. */
  readonly said: string;
}

interface Setting {
  readonly endpoints: Endpoints;
  /** For charts. */
  readonly folder: string;
}

const FIRST_SECONDS = 120;

/** A tool without grace windows is given a bound, since it would wait out any. */
function boundOf(one: BrokenCase | HealthyCase): string {
  return "sign" in one ? "60s" : "120s";
}

/** The action as a runner runs it, with its defaults. */
export function byRolloutWait({ endpoints }: Setting): Tool {
  return {
    name: "rollout-wait",
    deployFirst: (scene) => scene.deployFirst(),
    async rollOut(scene, { awaits }) {
      await scene.apply(scene.objects);
      const { exitCode, outputs, stderr } = await runStep(bundleOf("rollout-wait"), {
        inputs: {
          resources: awaits.join(" "),
          namespace: scene.place.namespace,
          kubeconfig: endpoints.kubeconfig,
        },
      });
      return { passed: exitCode === 0, said: `${outputs.cause ?? ""}${stderr}` };
    },
  };
}

export function byKubectl({ endpoints }: Setting): Tool {
  return {
    name: "kubectl",
    deployFirst: (scene) => scene.deployFirst(),
    async rollOut(scene, one) {
      await scene.apply(scene.objects);
      const answers: Answer[] = [];
      for (const target of scene.targets) {
        const wait = [...waitArguments(target), `--timeout=${boundOf(one)}`];
        answers.push(await call(endpoints, "kubectl", wait, scene));
      }
      return {
        passed: answers.every(({ passed }) => passed),
        said: answers.map(({ said }) => said).join("\n"),
      };
    },
  };
}

/** `rollout status` knows three kinds; for others there is `wait`. */
function waitArguments(target: ObjectRef): readonly string[] {
  const name = nameOf(target);
  if (target.kind === "Job") return ["wait", "--for=condition=complete", name];
  if (target.kind === "Pod") return ["wait", "--for=condition=ready", name];
  if (target.kind === "PersistentVolumeClaim")
    return ["wait", "--for=jsonpath={.status.phase}=Bound", name];
  if (target.kind === "Service") return ["wait", "--for=jsonpath={.spec.clusterIP}", name];
  return ["rollout", "status", name];
}

export function byHelm({ endpoints, folder }: Setting): Tool {
  const upgrade = async (scene: Scene, objects: readonly KubernetesObject[], timeout: string) => {
    const chart = await writeChart(folder, objects);
    const wait = ["--wait", "--wait-for-jobs", `--timeout=${timeout}`];
    return call(endpoints, "helm", ["upgrade", "--install", "case", chart, ...wait], scene);
  };
  return {
    name: "helm",
    async deployFirst(scene) {
      if (scene.first.length === 0) return;
      const { passed, said } = await upgrade(scene, scene.first, `${FIRST_SECONDS}s`);
      if (!passed) throw new Error(`the first revision by Helm: ${said}`);
    },
    rollOut: (scene, one) => upgrade(scene, scene.objects, boundOf(one)),
  };
}

/** The objects as a chart; JSON is YAML too. */
async function writeChart(parent: string, objects: readonly KubernetesObject[]): Promise<string> {
  const chart = await mkdtemp(join(parent, "chart-"));
  await mkdir(join(chart, "templates"));
  const about = "apiVersion: v2\nname: case\nversion: 1.0.0\n";
  await writeFile(join(chart, "Chart.yaml"), about);
  const documents = objects.map((object) => JSON.stringify(object).replaceAll("{{", "{ {"));
  await writeFile(join(chart, "templates", "all.yaml"), documents.join("\n---\n"));
  return chart;
}

async function call(
  endpoints: Endpoints,
  program: string,
  args: readonly string[],
  { place }: Scene,
): Promise<Answer> {
  const { PATH, ...rest } = variables(endpoints);
  const environment = { ...rest, PATH: [PATH, process.env.PATH].join(delimiter) };
  const command = { program, args: ["--namespace", place.namespace, ...args], environment };
  const execution = { signal: new AbortController().signal, secrets: new Secrets() };
  try {
    const { stdout, stderr } = await execute(command, execution);
    return { passed: true, said: `${stdout}${stderr}` };
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    return { passed: false, said: `${error.stdoutTail}${error.stderrTail}` };
  }
}
