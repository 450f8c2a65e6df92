import { UserError } from "../shared/failure/index.ts";
import type { Cluster } from "../shared/kubernetes/index.ts";
import { makeWorkspace, type Workspace } from "../test/workflow/act/index.ts";
import { FAULTS, type Fault, type FaultName } from "./faults.ts";
import type { Ground } from "./ground.ts";
import { NAMESPACE, openCluster, removeNamespace } from "./remove.ts";
import {
  type FaultResult,
  podSpans,
  type StepSpan,
  trafficBetween,
  verdictSeconds,
} from "./result.ts";
import { type Moment, ship, type Voyage } from "./ship.ts";
import type { Story } from "./story.ts";
import { Traffic } from "./traffic.ts";
import { Witness } from "./witness.ts";

const SERVICE = "quickstart";
const FIRST_VERSION = "1.0.0";
/** The action's line for a rollout that it holds for failed: `deployment/web: failed: ...`. */
const VERDICT_LINE = /^\S+\/\S+: failed: /;
const STEP_NAMES: Readonly<Record<string, string>> = {
  build: "build and push",
  upgrade: "upgrade and wait",
  smoke: "ask the service",
};

/** Where the story plays: one repository, one namespace, one client that never stops asking. */
export class Stage implements AsyncDisposable {
  readonly #ground: Ground;
  readonly #story: Story;
  readonly #signal: AbortSignal;
  readonly #cluster: Cluster;
  readonly #workspace: Workspace;
  readonly #results: FaultResult[] = [];
  #traffic: Traffic | undefined;

  private constructor(
    ground: Ground,
    story: Story,
    signal: AbortSignal,
    cluster: Cluster,
    workspace: Workspace,
  ) {
    this.#ground = ground;
    this.#story = story;
    this.#signal = signal;
    this.#cluster = cluster;
    this.#workspace = workspace;
  }

  static async open(ground: Ground, story: Story, signal: AbortSignal): Promise<Stage> {
    const cluster = await openCluster(ground.kubeconfig, signal);
    const version = await cluster.version();
    const workspace = await makeWorkspace();
    story.tell(`Kubernetes ${version} answers`);
    story.tell("A team's repository: a service, its chart, a workflow of a few lines");
    return new Stage(ground, story, signal, cluster, workspace);
  }

  get results(): readonly FaultResult[] {
    return this.#results;
  }

  /** Ships the version that works, and sets the client on it. */
  async shipFirst(): Promise<void> {
    this.#story.chapter(`Version ${FIRST_VERSION}`);
    const voyage = await this.#ship();
    if (!voyage.result.passed) throw notShipped(voyage);
    this.#story.good(`Version ${FIRST_VERSION} serves`);
    const image = imageOf(voyage);
    const where = { namespace: NAMESPACE, service: SERVICE, image };
    this.#traffic = await Traffic.start(this.#cluster, where, this.#signal);
    this.#story.tell(
      `A client inside the cluster now asks it ${Traffic.perSecond} times a second, to the end`,
    );
  }

  /** Ships the same once more: nothing changed, so that every image is found and none is built. */
  async shipAgain(): Promise<void> {
    this.#story.chapter(`Version ${FIRST_VERSION}, once more`);
    const voyage = await this.#ship();
    if (!voyage.result.passed) throw notShipped(voyage);
    const images = Object.entries(imagesIn(voyage));
    const rebuilt = images.filter(([, { status }]) => status !== "reused").map(([name]) => name);
    if (images.length === 0 || rebuilt.length > 0) throw notReused(rebuilt);
    this.#story.good("Nothing had changed: the registry's image was proven whole, and reused");
  }

  /** Ships a version that is broken, and notes what becomes of it. */
  async shipBroken(name: FaultName): Promise<void> {
    const fault = FAULTS[name];
    const version = `1.${this.#results.length + 1}.0`;
    this.#story.chapter(`Version ${version}: ${fault.story}`);
    const mend = await this.#break(fault, version);
    const result = await this.#observe(fault, version);
    this.#results.push(result);
    this.#tell(result);
    await mend();
  }

  /** Commits the fault; gives the way back. */
  async #break(fault: Fault, version: string): Promise<() => Promise<void>> {
    const files = ["chart/values.yaml", "chart/Chart.yaml"];
    const before = await Promise.all(files.map((file) => this.#workspace.read(file)));
    await fault.breakIt(this.#workspace, this.#ground.registry);
    const chart = await this.#workspace.read("chart/Chart.yaml");
    await this.#workspace.write(
      "chart/Chart.yaml",
      chart.replace(/^appVersion: .*$/m, `appVersion: "${version}"`),
    );
    await this.#workspace.commit(fault.message);
    this.#story.tell(`Somebody commits "${fault.message}" and pushes to main`);
    return async () => {
      for (const [index, file] of files.entries()) {
        await this.#workspace.write(file, before[index] ?? "");
      }
      await this.#workspace.commit(`Revert "${fault.message}"`);
    };
  }

  async #observe(fault: Fault, version: string): Promise<FaultResult> {
    const traffic = this.#traffic;
    if (traffic === undefined) throw new Error("the client is not there yet");
    const before = (await traffic.tallies(this.#signal)).at(-1);
    if (before === undefined) throw new Error("the client has told nothing yet");
    const offset = Date.now() - performance.now();
    await using witness = await Witness.begin(this.#cluster, NAMESPACE, fault, ({ words }) => {
      this.#story.tell("The cluster shows it:");
      this.#story.quote(words);
    });
    const voyage = await this.#ship();
    await witness.untilQuiet(this.#signal);
    const tallies = await traffic.tallies(this.#signal);
    const seconds = (at: number) => (at - voyage.from) / 1_000;
    const verdict = voyage.moments.find(isVerdict);
    const upgrade = voyage.result.outputs("upgrade");
    return {
      fault: fault.name,
      version,
      story: fault.story,
      cause: upgrade.cause || (voyage.result.outputs("build").cause ?? ""),
      seen: witness.sighting?.words ?? "",
      seenAt: witness.sighting && seconds(witness.sighting.at),
      verdictAt: verdict && seconds(verdict.at),
      endedAt: seconds(voyage.to),
      caught: !voyage.result.passed,
      rolledBack: upgrade["rolled-back"] === "true" && !witness.newPodsRemain,
      traffic: trafficBetween(tallies, before, (at) => seconds(at - offset)),
      steps: stepSpans(voyage),
      pods: podSpans(witness.lives, voyage.from, performance.now()),
    };
  }

  #ship(): Promise<Voyage> {
    return ship(this.#workspace, this.#ground, NAMESPACE, this.#signal, (moment) => {
      this.#narrate(moment);
    });
  }

  /** The lines of the run that people want to read here; the rest is in the run's own log. */
  #narrate({ event }: Moment): void {
    if (event.kind === "step-ended" && event.result === "success" && event.step === "build") {
      this.#story.tell(`Its image is proven at the registry (${told(event.milliseconds)})`);
    }
    if (event.kind === "step-started" && event.step === "upgrade") {
      this.#story.tell("Helm upgrades the release");
    }
    if (event.kind === "line" && event.step === "upgrade" && VERDICT_LINE.test(event.text)) {
      this.#story.bad("CAUGHT:");
      this.#story.quote(event.text);
    }
    if (event.kind === "step-ended" && event.result === "success" && event.step === "upgrade") {
      this.#story.tell(`Its pods are out and ready (${told(event.milliseconds)})`);
    }
    if (event.kind === "step-ended" && event.result === "success" && event.step === "smoke") {
      this.#story.tell(`Its Service answers as it should (${told(event.milliseconds)})`);
    }
  }

  #tell(result: FaultResult): void {
    const { traffic, rolledBack } = result;
    const seconds = verdictSeconds(result);
    if (seconds !== undefined) {
      this.#story.tell(
        `The verdict came ${seconds.toFixed(2)} s after the cluster showed its cause`,
      );
    }
    if (rolledBack) this.#story.good("Rolled back: nothing of the broken version is left");
    const versions = Object.keys(traffic.versions).map((version) => `version ${version}`);
    const words = `${traffic.requests} requests meanwhile, ${traffic.failed} failed, answered by ${versions.join(" and ")}`;
    if (traffic.failed === 0) this.#story.good(words);
    else this.#story.bad(words);
  }

  /** Takes the client and the files away; after an interruption, everything that was set up. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#workspace[Symbol.asyncDispose]();
    if (!this.#signal.aborted) {
      await this.#traffic?.[Symbol.asyncDispose]();
      return;
    }
    // A test bed that was set up for this goes as a whole.
    if (!this.#ground.isNew)
      await removeNamespace(this.#cluster.boundTo(AbortSignal.timeout(60_000)));
  }
}

function isVerdict({ event }: Moment): boolean {
  if (event.kind === "line") return event.step === "upgrade" && VERDICT_LINE.test(event.text);
  return event.kind === "annotation" && event.level === "error";
}

function told(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}

function stepSpans({ moments, from }: Voyage): StepSpan[] {
  return moments.flatMap(({ at, event }) => {
    const name = event.kind === "step-ended" ? STEP_NAMES[event.step] : undefined;
    if (event.kind !== "step-ended" || name === undefined || event.milliseconds === 0) return [];
    const to = (at - from) / 1_000;
    const passed = event.result === "success";
    return [{ name, from: to - event.milliseconds / 1_000, to, passed }];
  });
}

/** The image that was built, as the workflow's own output names it. */
interface ShippedImage {
  readonly repository?: string;
  readonly digest?: string;
  readonly status?: string;
}

function imagesIn({ result }: Voyage): Readonly<Record<string, ShippedImage>> {
  return JSON.parse(result.outputs("build").images || "{}");
}

function imageOf(voyage: Voyage): string {
  const { repository, digest } = imagesIn(voyage)[SERVICE] ?? {};
  if (repository === undefined || digest === undefined) {
    throw new Error(`the build told no digest of ${SERVICE}`);
  }
  return `${repository}@${digest}`;
}

function notReused(rebuilt: readonly string[]): UserError {
  return new UserError({
    title: "What had not changed was built again",
    cause: `Nothing had changed, but built was: ${rebuilt.join(", ") || "nothing, and nothing reused"}.`,
    remedy: "The build step's log says why; please report it.",
  });
}

function notShipped({ result }: Voyage): UserError {
  const cause = ["upgrade", "smoke", "build"]
    .map((step) => result.outputs(step).cause)
    .find(Boolean);
  return new UserError({
    title: `Version ${FIRST_VERSION} did not go out`,
    cause: cause ?? "The workflow failed before it came to a verdict.",
    remedy: "The log of the run tells more:",
    evidence: result.log,
  });
}
