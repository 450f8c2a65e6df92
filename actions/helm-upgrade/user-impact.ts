import {
  type AvailabilityWatch,
  minimumOf,
  sentence,
  watchAvailability,
} from "../../shared/availability/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { objectsOf, type Revision } from "../../shared/helm/index.ts";
import { workloadsOf } from "../../shared/workload/index.ts";
import type { Run } from "./run.ts";

/**
 * Whether users were hurt: their Services' ready endpoints are counted from before the release is
 * touched to the end of the rollout, or of the rollback.
 */
export class UserImpact implements AsyncDisposable {
  readonly #run: Run;
  #watching: Promise<AvailabilityWatch | undefined> = Promise.resolve(undefined);

  constructor(run: Run) {
    this.#run = run;
  }

  /** Resolves when it is known how many endpoints were ready before. */
  async begin(good: Revision | undefined): Promise<void> {
    const { tools, options, world } = this.#run;
    const objects = good === undefined ? [] : objectsOf(good.manifest);
    const served = workloadsOf(objects, tools.release.namespace);
    const { minimumAvailable } = options;
    const minimum = minimumAvailable === undefined ? undefined : minimumOf(minimumAvailable);
    this.#watching = watchAvailability(tools.cluster, served, { minimum, world }).catch(
      (error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        world.log.debug(`Endpoints are not counted: ${error.cause}`);
        return undefined;
      },
    );
    await this.#watching;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { facts, world } = this.#run;
    const report = (await this.#watching)?.end();
    if (report === undefined) return;
    facts.availability = report;
    if (report.hurt === "yes") world.log.warning(sentence(report), "Users were hurt");
    else if (report.services.length > 0) world.log.info(sentence(report));
  }
}
