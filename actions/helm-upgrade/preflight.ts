import { basename } from "node:path";
import { headlineOf } from "../../shared/diff/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { HelmFailure, type Revision, standingOf } from "../../shared/helm/index.ts";
import { type Checked, checkRelease, historyOf, hooksOf } from "../../shared/release/index.ts";
import { workloadsOf } from "../../shared/workload/index.ts";
import { definitionNotes } from "./definitions.ts";
import { checkImages } from "./image-use.ts";
import type { Rendering } from "./rendering.ts";
import type { Run } from "./run.ts";

/** What is known of a release before it is touched. */
export interface Preflight extends Checked {
  readonly rendering: Rendering;
  /** The history that it was compared with, by its newest revision. */
  readonly newest: number;
}

/**
 * Renders the chart, checks that it uses the images that it was given, compares it with what is
 * live, and asks the API server whether all of it will be allowed and accepted. Nothing is touched.
 *
 * @returns undefined while another operation is on the release: it is looked at again once it is
 *   this run's own.
 * @throws {UserError} when the chart cannot work.
 */
export async function preflight(run: Run): Promise<Preflight | undefined> {
  const { tools, facts, world, options } = run;
  const { release, placed } = tools;
  try {
    const rendered = tools.rendering();
    // Looked at below: also where it fails first, what is running should be told.
    rendered.catch(() => {});
    const history = await historyOf(tools);
    const standing = standingOf(history);
    if (standing.state !== "absent") facts.running = runningIn(history);
    const rendering = await rendered;
    if (standing.state === "pending") return undefined;
    checkImages(placed, workloadsOf(rendering.objects, release.namespace), world);
    const doing = standing.state === "absent" ? "install" : "upgrade";
    const definitions = await tools.definitions;
    const install = doing === "install";
    const served = options.crds === "apply" || (install && options.crds === "install");
    const noting = definitionNotes(definitions, install, run);
    const checked = await checkRelease(tools, {
      objects: rendering.objects,
      hooks: hooksOf(rendering.hooks, doing),
      definitions: served ? definitions : [],
      appliesDefinitions: options.crds === "apply",
      previous: appliedIn(history),
      manner: {
        serverSide: history.at(-1)?.serverSide ?? false,
        manager: basename(options.helm),
        force: options.forceConflicts,
      },
      namespaceIsNew: await isNew(run, install),
      redact: (text) => world.secrets.redact(text),
    });
    facts.difference = checked.difference;
    facts.notes.push(...checked.notes, ...(await noting));
    if (checked.failure !== undefined) throw checked.failure;
    tell(checked, run);
    const newest = history.at(-1)?.revision ?? 0;
    return { ...checked, rendering, newest };
  } catch (error) {
    if (error instanceof HelmFailure && error.kind === "pending") return undefined;
    throw error;
  }
}

/** The revision that is deployed, or undefined. */
export function runningIn(history: readonly Revision[]): number | undefined {
  return history.findLast(({ status }) => status === "deployed")?.revision;
}

/** The revision whose objects Helm takes for those that are there: pkg/action/upgrade.go. */
function appliedIn(history: readonly Revision[]): Revision | undefined {
  const last = history.at(-1);
  if (last === undefined || last.status === "uninstalled") return undefined;
  return history.findLast(({ status }) => status === "deployed") ?? last;
}

async function isNew({ tools, options, world }: Run, absent: boolean): Promise<boolean> {
  if (!absent || !options.createNamespace) return false;
  const { cluster, release } = tools;
  try {
    const namespace = { apiVersion: "v1", kind: "Namespace", name: release.namespace };
    return (await cluster.find(namespace)) === undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    world.log.debug(`Whether the namespace exists is not known: ${error.cause}`);
    return false;
  }
}

const MOST_TOLD = 20;

function tell({ difference }: Checked, { world, options, facts }: Run): void {
  const changing = difference.objects.filter(({ change }) => change !== "unchanged");
  const lines = changing.slice(0, MOST_TOLD).map((one) => headlineOf(one, options.namespace));
  const rest = changing.length - lines.length;
  const { unchanged } = difference.counts;
  const title = `${changing.length} objects change, ${unchanged} stay as they are`;
  if (lines.length > 0) world.log.group(title, rest > 0 ? [...lines, `And ${rest} more`] : lines);
  for (const note of facts.notes) world.log.info(note);
}
