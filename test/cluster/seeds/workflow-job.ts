import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { load } from "js-yaml";
import { root } from "../../../scripts/action-manifest.ts";
import { bundleOf, type Runner, runStep, type Step } from "../../runner/index.ts";
import { verdictOf } from "../apply-manifests/harbour.ts";

type Texts = Readonly<Record<string, string>>;

interface WorkflowStep {
  readonly uses?: string;
  readonly id?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, unknown>>;
}

/** How a job is run. */
export interface JobSetting {
  readonly runner: Runner;
  /** What stands for an expression: `secrets.KUBE_CONFIG`. */
  readonly expressions: Texts;
  /** Words of the example that are others here: names of namespaces. */
  readonly words?: readonly (readonly [from: string, to: string])[];
  /** Ids of steps that need what the test bed has not. */
  readonly without?: readonly string[];
  /** Ids of the only steps to run. */
  readonly only?: readonly string[];
  /** Where programs are found. */
  readonly path?: string;
}

export interface Ran {
  readonly action: string;
  readonly step: Step;
}

/** How the steps of a job ended: `helm-upgrade passed`; with its log where one failed. */
export function endsOf(ran: readonly Ran[]): readonly string[] {
  return ran.map(({ action, step }) => `${action} ${verdictOf(step, "passed")}`);
}

/** All files of a folder of the repository, by their paths within it. */
export async function filesOf(folder: string, edit = (text: string) => text): Promise<Texts> {
  const whole = join(root, folder);
  const entries = await readdir(whole, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const read = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    return [relative(whole, path), edit(await readFile(path, "utf8"))] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

/**
 * Runs the steps of a workflow's job that are actions of this repository, one after the other, as a
 * runner does; ends at the first that fails, as a runner does too.
 */
export async function runJob(
  file: string,
  job: string,
  setting: JobSetting,
): Promise<readonly Ran[]> {
  const workflow = load(worded(await readFile(join(root, file), "utf8"), setting)) as {
    readonly env?: Readonly<Record<string, unknown>>;
    readonly jobs: Readonly<Record<string, { readonly steps: readonly WorkflowStep[] }>>;
  };
  const env = evaluated(workflow.env ?? {}, setting.expressions);
  const named = Object.entries(env).map(([name, value]) => [`env.${name}`, value]);
  const expressions = { ...setting.expressions, ...Object.fromEntries(named) };
  const ran: Ran[] = [];
  for (const { uses = "", id = "", with: given = {}, env: own = {} } of workflow.jobs[job]?.steps ??
    []) {
    const action = /\/actions\/([a-z-]+)@/.exec(uses)?.[1];
    const isOurs = uses.startsWith("OWNER/seaworthy/") && action !== undefined;
    if (!isOurs || setting.without?.includes(id)) continue;
    if (setting.only !== undefined && !setting.only.includes(id)) continue;
    const step = await runStep(bundleOf(action), {
      runner: setting.runner,
      inputs: evaluated(given, expressions),
      environment: {
        ...env,
        ...evaluated(own, expressions),
        ...(setting.path === undefined ? {} : { PATH: `${setting.path}:${process.env.PATH}` }),
      },
    });
    ran.push({ action, step });
    if (step.exitCode !== 0) break;
  }
  return ran;
}

function worded(text: string, { words = [] }: JobSetting): string {
  return words.reduce((sum, [from, to]) => sum.replaceAll(from, to), text);
}

function evaluated(given: Readonly<Record<string, unknown>>, expressions: Texts): Texts {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      String(value).replace(/\$\{\{\s*([^}]+?)\s*\}\}/g, (_, expression: string) => {
        const found = expressions[expression];
        if (found === undefined) throw new Error(`nothing stands for ${expression}`);
        return found;
      }),
    ]),
  );
}
