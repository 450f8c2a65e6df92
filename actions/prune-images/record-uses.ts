import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { codeOf, describe, UserError } from "../../shared/failure/index.ts";
import type { GitHub } from "../../shared/github/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";
import type { Uses } from "./uses.ts";

const NEEDS = "`permissions: deployments: read`";

interface Deployment {
  readonly id: number;
  readonly environment?: string;
  readonly payload?: unknown;
  readonly description?: string | null;
}

/**
 * Adds the images of the last deployments to GitHub's environments, as their records tell them. Those
 * that failed are read on the way and count for nothing: below them stands what really runs.
 *
 * @returns a sentence on each environment.
 * @throws {UserError} when they cannot be read, or an environment has none.
 */
export async function addDeploymentUses(
  { environments = [], keepDeployments, repository }: Options,
  github: GitHub,
  uses: Uses,
  { environment, signal }: World,
): Promise<readonly string[]> {
  const owner = repository ?? environment.GITHUB_REPOSITORY ?? "";
  if (!/^[\w.-]+\/[\w.-]+$/.test(owner)) throw noRepository();
  const names = environments.includes("*")
    ? await environmentsOf(owner, github, signal)
    : environments;
  const told: string[] = [];
  for (const name of names) {
    const { deployments, good, images } = await new Records(owner, github, signal).add(
      name,
      keepDeployments,
      uses,
    );
    if (deployments > 0 && images === 0) throw unnamed(name, deployments);
    told.push(
      `environment ${name}: ${deployments} deployments, ${good} of them good, name ${images} images`,
    );
  }
  return told;
}

/** What a deployment came to, that was good: in use, or until a later one took its place. */
const GOOD = new Set(["success", "inactive"]);

/** The deployment records of one repository. */
class Records {
  readonly #owner: string;
  readonly #github: GitHub;
  readonly #signal: AbortSignal;

  constructor(owner: string, github: GitHub, signal: AbortSignal) {
    this.#owner = owner;
    this.#github = github;
    this.#signal = signal;
  }

  /** Reads records, newest first, until so many good ones were among them. */
  async add(environment: string, keep: number, uses: Uses) {
    const path = `/repos/${this.#owner}/deployments?environment=${encodeURIComponent(environment)}`;
    const found = await this.#github.list<Deployment>(path, NEEDS, this.#signal);
    if (found === undefined) throw noRecords(this.#owner);
    let [deployments, good, images] = [0, 0, 0];
    for await (const { id, payload, description } of found) {
      if (good >= keep) break;
      deployments += 1;
      const text = JSON.stringify([payload, description]);
      images += uses.add(text, `deployment ${id} to ${environment}`);
      if (await this.#isGood(id)) good += 1;
    }
    return { deployments, good, images };
  }

  async #isGood(id: number): Promise<boolean> {
    const path = `/repos/${this.#owner}/deployments/${id}/statuses?per_page=10`;
    const statuses = await this.#github.get<readonly { readonly state?: string }[]>(
      path,
      NEEDS,
      this.#signal,
    );
    return (statuses ?? []).some(({ state = "" }) => GOOD.has(state));
  }
}

async function environmentsOf(
  owner: string,
  github: GitHub,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const path = `/repos/${owner}/environments`;
  const found = await github.list<{ name: string }>(path, "`permissions: actions: read`", signal);
  if (found === undefined) throw noRecords(owner);
  const names: string[] = [];
  for await (const { name } of found) names.push(name);
  return names;
}

/**
 * Adds the images that files of the workspace name: build-push's images, manifests, records.
 *
 * @throws {UserError} when one cannot be read, or names no image.
 */
export async function addFileUses(
  files: readonly string[],
  uses: Uses,
  { environment }: World,
): Promise<readonly string[]> {
  const workspace = environment.GITHUB_WORKSPACE || process.cwd();
  const told: string[] = [];
  for (const file of files) {
    const text = await readFile(resolve(workspace, file), "utf8").catch((error: unknown) => {
      const missing = codeOf(error) === "ENOENT";
      throw new UserError(
        {
          title: missing ? "A record is missing" : "A record cannot be read",
          cause: `records: ${file}: ${missing ? "there is no such file" : describe(error)}.`,
          remedy: "Correct the input records; nothing was deleted.",
        },
        { reason: error },
      );
    });
    const images = uses.add(text, `the record ${file}`);
    if (images === 0) throw namesNothing(file);
    told.push(`record ${file}: it names ${images} images`);
  }
  return told;
}

function namesNothing(file: string): UserError {
  return new UserError({
    title: "A record names no image",
    cause: `records: ${file} holds neither a digest nor a tag of these repositories, so it protects nothing.`,
    remedy: "Name the file that says what is deployed, or leave it out; nothing was deleted.",
  });
}

function unnamed(environment: string, count: number): UserError {
  return new UserError({
    title: "The deployment records name no images",
    cause: `${count} deployments to ${environment} were read, and none names a digest or tag of these repositories in its payload, so they protect nothing.`,
    remedy:
      "Write the images into the payload of the deployments, or say by kubeconfig or records what is deployed; nothing was deleted.",
  });
}

function noRecords(owner: string): UserError {
  return new UserError({
    title: "The deployment records cannot be read",
    cause: `GitHub's API answered 404 for ${owner}: there is no such repository, or the token may not see it.`,
    remedy: `Check the input repository, and give the job ${NEEDS}; nothing was deleted.`,
  });
}

function noRepository(): UserError {
  return new UserError({
    title: "One input is missing",
    cause: "environments is given, and neither repository nor GITHUB_REPOSITORY says whose.",
    remedy: "Give repository: owner/name.",
  });
}
