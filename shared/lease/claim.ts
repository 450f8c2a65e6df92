import { randomUUID } from "node:crypto";

type Environment = Readonly<Record<string, string | undefined>>;

/** Who wants a lease, for what, and what to call it. */
export interface Claim {
  /** The lease's object, unique in its namespace: `seaworthy-shop`. */
  readonly name: string;
  readonly namespace: string;
  /** What is worked on, as people call it: `release shop`. */
  readonly subject: string;
  /** Names the run to people and to other runs. */
  readonly holder: string;
  /** Address of the run's page, where it has one. */
  readonly page?: string | undefined;
}

/**
 * A holder that no other run can have: the words by which people know the run, from the variables
 * that a runner sets, and something random.
 */
export function newHolder({
  GITHUB_RUN_ID,
  GITHUB_RUN_ATTEMPT,
  GITHUB_JOB,
  HOSTNAME,
}: Environment): string {
  const run = GITHUB_RUN_ID
    ? `run ${GITHUB_RUN_ID}, attempt ${GITHUB_RUN_ATTEMPT || 1}, job ${GITHUB_JOB || "?"}`
    : `local/${HOSTNAME || process.pid}`;
  return `${run}/${randomUUID().slice(0, 8)}`;
}

/** The address of the run's page; undefined where the job does not run on GitHub. */
export function pageOf({
  GITHUB_SERVER_URL,
  GITHUB_REPOSITORY,
  GITHUB_RUN_ID,
}: Environment): string | undefined {
  if (!GITHUB_SERVER_URL || !GITHUB_REPOSITORY || !GITHUB_RUN_ID) return undefined;
  return `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`;
}
