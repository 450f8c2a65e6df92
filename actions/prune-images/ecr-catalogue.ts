import { UserError } from "../../shared/failure/index.ts";
import { nameOf, type Repository } from "../../shared/images/index.ts";
import type { EcrApi } from "../../shared/sign-in/index.ts";
import type { Catalogue, Listed } from "./catalogue.ts";
import { NotDeletable } from "./not-deletable.ts";

interface ImageDetail {
  readonly imageDigest?: string;
  readonly imageTags?: readonly string[];
  /** Seconds since the Unix epoch. */
  readonly imagePushedAt?: number;
}

/**
 * Amazon's private registry, by its own API: it lists what has no tag, and says when it came.
 * Source: Amazon ECR API reference, DescribeImages and BatchDeleteImage.
 */
export class EcrCatalogue implements Catalogue {
  readonly repository: Repository;
  readonly listsUntagged = true;
  readonly #api: EcrApi;

  constructor(repository: Repository, api: EcrApi) {
    this.repository = repository;
    this.#api = api;
  }

  async list(signal: AbortSignal): Promise<readonly Listed[]> {
    const found: Listed[] = [];
    let nextToken: string | undefined;
    do {
      const answer = await this.#ask("DescribeImages", { maxResults: 1_000, nextToken }, signal);
      const details = (answer.imageDetails ?? []) as readonly ImageDetail[];
      for (const { imageDigest: digest, imageTags, imagePushedAt } of details) {
        if (digest === undefined) continue;
        const time = imagePushedAt === undefined ? undefined : imagePushedAt * 1_000;
        found.push({ digest, tags: imageTags ?? [], time });
      }
      nextToken = typeof answer.nextToken === "string" ? answer.nextToken : undefined;
    } while (nextToken !== undefined);
    return found;
  }

  async remove(digest: string, _: readonly string[], signal: AbortSignal): Promise<void> {
    const input = { imageIds: [{ imageDigest: digest }] };
    const { failures } = await this.#ask("BatchDeleteImage", input, signal);
    const [failure] = (failures ?? []) as readonly {
      failureCode?: string;
      failureReason?: string;
    }[];
    if (failure === undefined || failure.failureCode === "ImageNotFound") return;
    throw new UserError({
      title: "Amazon ECR does not delete an image",
      cause: `${nameOf(this.repository)}@${digest}: ${failure.failureCode}: ${failure.failureReason}.`,
      remedy: "Look at what ECR names; the others are deleted all the same.",
    });
  }

  async #ask(action: string, input: object, signal: AbortSignal) {
    const { status, json, words } = await this.#api(
      action,
      { repositoryName: this.repository.path, ...input },
      signal,
    );
    if (status === 200) return json;
    const denied = /AccessDenied|not authorized/i.test(words);
    const parts = {
      title: `Amazon ECR refuses ${action}`,
      cause: `${nameOf(this.repository)}: it answered ${status}: ${words || "no words"}.`,
      remedy: denied
        ? "Grant ecr:DescribeImages, ecr:BatchGetImage, ecr:GetDownloadUrlForLayer and, to delete, ecr:BatchDeleteImage on the repository."
        : "Check the repository's name and region.",
    };
    if (denied && action === "BatchDeleteImage") throw new NotDeletable(parts);
    throw new UserError(parts);
  }
}
