import { UserError } from "../failure/index.ts";
import {
  ApiError,
  type Cluster,
  isForbidden,
  isNotFound,
  type KubernetesObject,
  type ObjectRef,
} from "../kubernetes/index.ts";
import type { Clock } from "../world/index.ts";
import type { Claim } from "./claim.ts";

/** A Lease of coordination.k8s.io/v1, as far as it is used here. */
export interface Lease extends KubernetesObject {
  readonly spec: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    /** RFC 3339 with microseconds. */
    readonly renewTime?: string;
    readonly acquireTime?: string;
    readonly leaseTransitions?: number;
  };
}

/** Seconds after which a lease that is not renewed belongs to nobody. */
export const LEASE_SECONDS = 15;
const RENEW_MS = 5_000;
const LOOK_MS = 500;
/** Longer than the pause between two renewals: a live holder is seen to renew. */
const WATCH_MS = 6_000;
/** No clocks differ by this much: a lease older than this is dead without a look at it. */
const SURELY_DEAD_MS = 60_000;

const NOTE = "seaworthy.dev/note";
const RUN = "seaworthy.dev/run";

export type LeaseJudgement = "free" | "held" | "perhaps-dead" | "dead";

/**
 * Judges whether somebody still holds a lease. Its times are by the holder's clock, which may
 * differ from ours: one that looks expired counts as dead only when it is long so, or when it was
 * watched for longer than the pause between renewals and did not change.
 *
 * @param unchangedMs how long this very version of the lease has been watched.
 */
export function judgeLease(lease: Lease, now: number, unchangedMs: number): LeaseJudgement {
  const { holderIdentity, renewTime, leaseDurationSeconds } = lease.spec;
  if (holderIdentity === undefined || holderIdentity === "") return "free";
  const age = now - (Date.parse(renewTime ?? "") || 0);
  const duration = (leaseDurationSeconds ?? LEASE_SECONDS) * 1_000;
  if (age > Math.max(SURELY_DEAD_MS, duration)) return "dead";
  if (unchangedMs >= Math.max(WATCH_MS, duration)) return "dead";
  if (age > duration) return unchangedMs >= WATCH_MS ? "dead" : "perhaps-dead";
  return "held";
}

/** What taking the lease came to. */
export interface Taken {
  readonly lease: HeldLease;
  /** The holder whose lease had run out, when it was taken over. */
  readonly from: string | undefined;
  /** What a dead holder had noted for its successor. */
  readonly note: string | undefined;
}

export interface Waiting {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Ends the writes: one that is on its way when the signal aborts must not be lost sight of. */
  readonly aftermath: AbortSignal;
  /** The longest wait, in milliseconds. */
  readonly timeout: number;
  /** A holder that is seen to be alive is not waited for. */
  readonly refuse?: boolean;
  /** Told once for each holder that is waited for. */
  readonly onWait: (holder: string, page: string | undefined) => void;
}

/**
 * Takes a lease, waiting while another run holds it, so that of two runs one alone works on its
 * subject. Every change is a compare-and-swap by resourceVersion.
 *
 * @returns undefined when leases are forbidden to this user.
 * @throws {UserError} when the namespace does not exist, or the wait was too long.
 */
export async function takeLease(
  cluster: Cluster,
  claim: Claim,
  waiting: Waiting,
): Promise<Taken | undefined> {
  const bound = cluster.boundTo(waiting.aftermath);
  try {
    const got = await take(cluster, bound, claim, waiting);
    if (!waiting.signal.aborted) return got;
    await got.lease.release(bound);
    throw waiting.signal.reason;
  } catch (error) {
    if (isForbidden(error) && /cannot \w+ resource "leases"/.test(error.apiMessage))
      return undefined;
    throw error;
  }
}

async function take(
  cluster: Cluster,
  writing: Cluster,
  claim: Claim,
  waiting: Waiting,
): Promise<Taken> {
  const { clock, signal } = waiting;
  const began = clock.now();
  let watched = { version: undefined as string | undefined, since: began };
  let told: string | undefined;
  for (;;) {
    const found = await cluster.find<Lease>(refOf(claim));
    if (found === undefined) {
      const made = await attempt(() => writing.create(newLease(claim, clock.now())), claim);
      if (made !== undefined) return taken(cluster, claim, made, undefined);
      continue;
    }
    const version = found.metadata.resourceVersion;
    const renewed = watched.version !== undefined && watched.version !== version;
    const since = watched.version === version ? watched.since : clock.now();
    watched = { version, since };
    const verdict = judgeLease(found, clock.now(), clock.now() - since);
    if (verdict === "free" || verdict === "dead") {
      const change = takeover(found, claim, clock.now());
      const got = await attempt(() => writing.patch<Lease>(refOf(claim), change), claim);
      if (got !== undefined) return taken(cluster, claim, got, found);
      continue;
    }
    const holder = found.spec.holderIdentity ?? "";
    if (waiting.refuse === true && renewed) throw busy(claim, found);
    if (clock.now() - began > waiting.timeout) throw heldTooLong(claim, found, waiting.timeout);
    if (told !== holder) waiting.onWait(holder, found.metadata.annotations?.[RUN]);
    told = holder;
    await clock.sleep(LOOK_MS, signal);
  }
}

/** The result of a write, or undefined when another run was faster. */
async function attempt(write: () => Promise<Lease>, claim: Claim): Promise<Lease | undefined> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) return undefined;
    if (!isNotFound(error)) throw error;
    // Either the lease went away between two looks, or there is no namespace to put it in.
    if ((error as ApiError).apiMessage.includes("namespaces")) throw new NamespaceMissing(claim);
    return undefined;
  }
}

/** The namespace that should hold the lease does not exist. */
export class NamespaceMissing extends UserError {
  constructor({ namespace }: Pick<Claim, "namespace">) {
    super({
      title: "No such namespace",
      cause: `The namespace ${namespace} does not exist.`,
      remedy: "Correct the input `namespace`, or set `create-namespace: true` to have it made.",
    });
    this.name = "NamespaceMissing";
  }
}

function taken(cluster: Cluster, claim: Claim, lease: Lease, before: Lease | undefined): Taken {
  const from = before?.spec.holderIdentity || undefined;
  const note = from === undefined ? undefined : before?.metadata.annotations?.[NOTE];
  return {
    lease: new HeldLease(cluster, claim, lease),
    from,
    note,
  };
}

/** A lease in our hands: renewed until it is given back. */
export class HeldLease {
  readonly #cluster: Cluster;
  readonly #claim: Claim;
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #version: string | undefined;
  /** Writes one after the other, for each needs the version that the one before it made. */
  #writing: Promise<void> = Promise.resolve();

  constructor(cluster: Cluster, claim: Claim, lease: Lease) {
    this.#cluster = cluster;
    this.#claim = claim;
    this.#version = lease.metadata.resourceVersion;
    this.#timer = setInterval(() => void this.#renew(), RENEW_MS);
    this.#timer.unref();
  }

  /** Aborts when another run took the lease away, as after this one was frozen for long. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Leaves a note for the run that has to heal what this one leaves behind, should it die. */
  async note(text: string): Promise<void> {
    await this.#write({ metadata: { annotations: { [NOTE]: text } } });
  }

  /** Gives the lease back; one that is lost is left to its new holder. */
  async release(cluster: Cluster): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    if (this.#lost.signal.aborted) return;
    try {
      await cluster.delete(refOf(this.#claim), { resourceVersion: this.#version });
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 409)) throw error;
    }
  }

  /**
   * Renews it now, and tells whether it is still ours: to be asked before anything is changed after
   * a time in which the API server may have been away.
   */
  async confirm(): Promise<boolean> {
    await this.#write({ spec: { renewTime: microTime(Date.now()) } });
    return !this.#lost.signal.aborted;
  }

  async #renew(): Promise<void> {
    // Silence is no loss: while the API server is away, nothing is changed, and nothing taken that
    // the next renewal does not tell of.
    await this.confirm().catch(() => {});
  }

  #write(change: object): Promise<void> {
    const next = this.#writing.then(async () => {
      if (this.#lost.signal.aborted) return;
      const metadata = (change as { metadata?: object }).metadata ?? {};
      const guarded = { ...change, metadata: { ...metadata, resourceVersion: this.#version } };
      try {
        const lease = await this.#cluster.patch<Lease>(refOf(this.#claim), guarded);
        this.#version = lease.metadata.resourceVersion;
      } catch (error) {
        if (!(error instanceof ApiError && [404, 409].includes(error.status))) throw error;
        this.#lose(error.apiMessage);
      }
    });
    this.#writing = next.catch(() => {});
    return next;
  }

  #lose(why: string): void {
    clearInterval(this.#timer);
    const { namespace, subject } = this.#claim;
    this.#lost.abort(
      new UserError({
        title: `Another run took the ${subject} over`,
        cause: `The lease ${this.#claim.name} in namespace ${namespace} is no longer this run's: ${why}.`,
        remedy:
          "The other run carries on; look at its result. This runner may have been frozen for longer than 15 s.",
      }),
    );
  }
}

function refOf(claim: Claim): ObjectRef {
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    namespace: claim.namespace,
    name: claim.name,
  };
}

function newLease(claim: Claim, now: number): Lease {
  const { apiVersion, kind, name } = refOf(claim);
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace: claim.namespace,
      labels: { "app.kubernetes.io/managed-by": "seaworthy" },
      ...(claim.page === undefined ? {} : { annotations: { [RUN]: claim.page } }),
    },
    spec: {
      holderIdentity: claim.holder,
      leaseDurationSeconds: LEASE_SECONDS,
      acquireTime: microTime(now),
      renewTime: microTime(now),
      leaseTransitions: 0,
    },
  };
}

function takeover(lease: Lease, claim: Claim, now: number): object {
  return {
    metadata: {
      resourceVersion: lease.metadata.resourceVersion,
      annotations: { [RUN]: claim.page ?? null },
    },
    spec: {
      ...newLease(claim, now).spec,
      leaseTransitions: (lease.spec.leaseTransitions ?? 0) + 1,
    },
  };
}

/** MicroTime as the API wants it: exactly six digits after the point. */
function microTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace("Z", "000Z");
}

function busy(claim: Claim, lease: Lease): UserError {
  const page = lease.metadata.annotations?.[RUN];
  return new UserError({
    title: `Another run works on the ${claim.subject}`,
    cause: `${lease.spec.holderIdentity} is working on the ${claim.subject} in namespace ${claim.namespace}, and renews its lease${page === undefined ? "" : ` (${page})`}.`,
    remedy: "Let it end, or cancel it; then run again. Nothing was changed.",
  });
}

function heldTooLong(claim: Claim, lease: Lease, timeout: number): UserError {
  const page = lease.metadata.annotations?.[RUN];
  return new UserError({
    title: `Another run holds the ${claim.subject}`,
    cause: `${lease.spec.holderIdentity} has been working on the ${claim.subject} in namespace ${claim.namespace} for all of the ${timeout / 1_000} s that this run could wait${page === undefined ? "" : ` (${page})`}.`,
    remedy: "Let it end, or cancel it; then run again. Nothing was changed.",
  });
}
