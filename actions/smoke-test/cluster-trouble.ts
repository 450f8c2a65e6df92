import { UserError } from "../../shared/failure/index.ts";
import {
  ApiError,
  isForbidden,
  isNotFound,
  isTransient,
  NoReadyPod,
  Unreachable,
} from "../../shared/kubernetes/index.ts";
import { Unanswered } from "../../shared/probe/index.ts";

/** What is made just now may be late; what is misspelt never comes. */
const MISSING_PATIENCE_MS = 5_000;
/** An API server that never answered is more likely at another address than restarting. */
const UNREACHED_PATIENCE_MS = 10_000;

/** Remembers whether the API server has ever answered, for that decides how long to wait for it. */
export class ClusterTrouble {
  #reached = false;

  /** Does something in the cluster; what goes wrong says how long waiting for it makes sense. */
  async around<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.#reached = true;
      return result;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#reached ||= !(error instanceof Unreachable);
      throw new Unanswered(error.cause.replace(/\.$/, ""), {
        trouble: error instanceof NoReadyPod ? "not-ready" : "service",
        patience: this.#patienceOf(error),
        reason: error,
      });
    }
  }

  #patienceOf(error: UserError): number {
    if (error instanceof NoReadyPod) return Infinity;
    if (isForbidden(error)) return 0;
    if (isTransient(error)) return this.#reached ? Infinity : UNREACHED_PATIENCE_MS;
    // The pod that was chosen a moment ago is gone: another one will be.
    if (isNotFound(error)) return Infinity;
    if (error instanceof ApiError || error instanceof Unreachable) return 0;
    return MISSING_PATIENCE_MS;
  }
}
