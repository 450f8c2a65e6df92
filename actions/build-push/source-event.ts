import { readFile } from "node:fs/promises";
import { isMapping } from "../../shared/action/index.ts";
import type { SourceEvent } from "../../shared/image-tags/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;
type Payload = Readonly<Record<string, unknown>>;

/** What the runner tells of the event that set the run off. */
export interface RunEvent {
  readonly event: SourceEvent;
  /** When the commit was made, in ISO 8601, where the event tells it. */
  readonly timestamp: string | undefined;
  /** The commit that the branch was at before, or that a pull request is based on. */
  readonly before: string | undefined;
  /** How long a short sha is, where the user says so. */
  readonly shortSha: number | undefined;
}

/** Reads the event from the runner's variables and the file that they name. */
export async function readRunEvent(environment: Environment): Promise<RunEvent> {
  return runEvent(environment, await readPayload(environment.GITHUB_EVENT_PATH));
}

/** Outside of GitHub there may be no such file; then the variables tell what they can. */
async function readPayload(path: string | undefined): Promise<Payload> {
  if (!path) return {};
  try {
    const payload: unknown = JSON.parse(await readFile(path, "utf8"));
    return isMapping(payload) ? payload : {};
  } catch {
    return {};
  }
}

/** The event from variables and payload. Source: GitHub's "Events that trigger workflows". */
export function runEvent(environment: Environment, payload: Payload): RunEvent {
  const name = environment.GITHUB_EVENT_NAME ?? "";
  const pullRequest = within(payload, "pull_request");
  return {
    event: {
      name,
      ref: refOf(name, environment, payload, pullRequest),
      sha: shaOf(environment, pullRequest),
      defaultBranch: text(within(payload, "repository").default_branch),
      baseRef: baseRefOf(environment, payload, pullRequest),
      repository: repositoryOf(environment, within(payload, "repository")),
    },
    timestamp: timestampOf(environment, payload),
    before: beforeOf(payload, pullRequest),
    shortSha: lengthOf(environment.DOCKER_METADATA_SHORT_SHA_LENGTH),
  };
}

/** `pull_request_target` runs on the base branch, but is for the pull request. */
function refOf(
  name: string,
  environment: Environment,
  payload: Payload,
  pullRequest: Payload,
): string {
  const number = payload.number ?? pullRequest.number;
  if (name === "pull_request_target" && typeof number === "number")
    return `refs/pull/${number}/merge`;
  return environment.GITHUB_REF ?? "";
}

/** A pull request's own commit instead of its merge, by docker/metadata-action's variable. */
function shaOf(environment: Environment, pullRequest: Payload): string | undefined {
  const wanted = environment.DOCKER_METADATA_PR_HEAD_SHA?.toLowerCase() === "true";
  const head = wanted ? text(within(pullRequest, "head").sha) : undefined;
  return head ?? text(environment.GITHUB_SHA);
}

function baseRefOf(
  environment: Environment,
  payload: Payload,
  pullRequest: Payload,
): string | undefined {
  const base =
    text(environment.GITHUB_BASE_REF) ??
    text(within(pullRequest, "base").ref) ??
    text(within(payload, "merge_group").base_ref) ??
    text(payload.base_ref);
  return base?.replace(/^refs\/heads\//, "");
}

/** A branch that is new was at the commit 0 before. */
function beforeOf(payload: Payload, pullRequest: Payload): string | undefined {
  const base =
    text(within(pullRequest, "base").sha) ?? text(within(payload, "merge_group").base_sha);
  const before = base ?? text(payload.before);
  return before === undefined || /^0+$/.test(before) ? undefined : before;
}

function repositoryOf(environment: Environment, repository: Payload): SourceEvent["repository"] {
  const fullName = text(environment.GITHUB_REPOSITORY) ?? text(repository.full_name);
  const server = text(environment.GITHUB_SERVER_URL) ?? "https://github.com";
  const license = text(within(repository, "license").spdx_id);
  return {
    name: fullName?.split("/").at(-1),
    url: fullName === undefined ? undefined : `${server}/${fullName}`,
    description: text(repository.description),
    // GitHub's word for a licence that it does not know.
    license: license === "NOASSERTION" ? undefined : license,
  };
}

/** Only where the event is about the very commit that the run is for. */
function timestampOf(environment: Environment, payload: Payload): string | undefined {
  const commits = [
    within(payload, "head_commit"),
    within(within(payload, "merge_group"), "head_commit"),
    within(within(payload, "workflow_run"), "head_commit"),
  ];
  const sha = text(environment.GITHUB_SHA);
  return text(commits.find(({ id }) => id !== undefined && id === sha)?.timestamp);
}

function lengthOf(given: string | undefined): number | undefined {
  const length = Number(given || "0");
  return Number.isInteger(length) && length >= 4 && length <= 64 ? length : undefined;
}

function within(payload: Payload, key: string): Payload {
  const inner = payload[key];
  return isMapping(inner) ? inner : {};
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}
