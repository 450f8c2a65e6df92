import { UserError } from "../failure/index.ts";
import { jsonIn, WebApi, wordsOf } from "../web-api/index.ts";
import { findAwsKeys } from "./aws-keys.ts";
import { cloudOf } from "./cloud.ts";
import { askEcr } from "./ecr.ts";
import type { SignInSettings, SignInWorld } from "./settings.ts";

/** Asks Amazon's private registry by its own API. */
export type EcrApi = (
  action: string,
  input: object,
  signal: AbortSignal,
) => Promise<{
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
  /** What it says of its refusal. */
  readonly words: string;
}>;

/**
 * Opens the API of the registry at a host; undefined where that is no private registry of Amazon's.
 *
 * @throws {UserError} when there are no AWS credentials, for the API knows no other account.
 */
export async function openEcr(
  host: string,
  settings: SignInSettings,
  world: SignInWorld,
): Promise<EcrApi | undefined> {
  const registry = cloudOf(host, world.environment);
  if (registry?.kind !== "ecr" || registry.isPublic) return undefined;
  using api = new WebApi(world);
  const found = await findAwsKeys(registry, { api, settings, world });
  if (!("keys" in found)) {
    throw new UserError({
      title: "There are no credentials for AWS",
      cause: `${host} is asked by Amazon's API, and ${found.looked}.`,
      remedy:
        "Give aws-role with `permissions: id-token: write`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    });
  }
  return async (action, input, signal) => {
    using own = new WebApi(world);
    const means = { api: own, settings, world: { ...world, signal } };
    const answer = await askEcr(action, input, registry, found.keys, means);
    return { status: answer.status, json: jsonIn(answer), words: wordsOf(answer) };
  };
}
