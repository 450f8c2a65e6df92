import { UserError } from "../../failure/index.ts";
import { type AwsSite, type FoundKeys, findAwsKeys } from "../../sign-in/index.ts";
import { WebApi } from "../../web-api/index.ts";
import type { World } from "../../world/index.ts";
import type { StorageSettings } from "../settings.ts";
import type { Address } from "./address.ts";

/** Keys of a role live an hour at least; a long backup needs new ones in time. */
const FRESH_MS = 40 * 60_000;

export type KeysWorld = Pick<World, "clock" | "environment" | "log" | "secrets" | "signal">;

/** Finds the keys that a bucket is asked with, and finds them anew before they expire. */
export class Keys {
  readonly #settings: StorageSettings;
  readonly #address: Address;
  readonly #world: KeysWorld;
  #found: Promise<FoundKeys> | undefined;
  #since = 0;

  constructor(settings: StorageSettings, address: Address, world: KeysWorld) {
    this.#settings = settings;
    this.#address = address;
    this.#world = world;
    if (settings.secretAccessKey) world.secrets.add(settings.secretAccessKey);
    if (settings.sessionToken) world.secrets.add(settings.sessionToken);
  }

  /**
   * @throws {UserError} where there are none, or a role cannot be taken on.
   */
  async get(signal: AbortSignal): Promise<FoundKeys> {
    const now = this.#world.clock.now();
    if (this.#found === undefined || now - this.#since > FRESH_MS) {
      this.#since = now;
      const finding = this.#find(signal);
      this.#found = finding;
      finding.catch(() => {
        if (this.#found === finding) this.#found = undefined;
      });
    }
    return this.#found;
  }

  /** What was found is refused as expired. */
  forget(): void {
    this.#found = undefined;
  }

  async #find(signal: AbortSignal): Promise<FoundKeys> {
    const { accessKeyId, secretAccessKey, role } = this.#settings;
    if (!accessKeyId !== !secretAccessKey) throw halfPair(accessKeyId ? "secret" : "access key");
    const world = { ...this.#world, signal, environment: this.#environment() };
    if (!role && accessKeyId && secretAccessKey) {
      const sessionToken = this.#settings.sessionToken || undefined;
      return { keys: { accessKeyId, secretAccessKey, sessionToken }, by: "the keys given" };
    }
    using api = new WebApi(world);
    const settings = { awsRole: role || undefined };
    const found = await findAwsKeys(siteOf(this.#address), { api, settings, world });
    if ("keys" in found) return found;
    throw new UserError({
      title: "There are no keys for the bucket",
      cause: `s3://${this.#address.bucket} is asked with keys, and none were found: none were given, no role was, AWS_ACCESS_KEY_ID is not set, and neither ~/.aws/credentials nor the machine has any.`,
      remedy:
        "Give an access key and its secret, or a role with `permissions: id-token: write` on the job.",
    });
  }

  /** Keys that were given come before all that the job has, also for taking on a role. */
  #environment(): World["environment"] {
    const { environment } = this.#world;
    const { accessKeyId, secretAccessKey, sessionToken } = this.#settings;
    if (!accessKeyId || !secretAccessKey) return environment;
    return {
      ...environment,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken || undefined,
      ACTIONS_ID_TOKEN_REQUEST_URL: undefined,
    };
  }
}

function siteOf({ region, isAmazon }: Address): AwsSite {
  const known = isAmazon || /^[a-z]{2}(-[a-z]+)+-\d$/.test(region) ? region : "us-east-1";
  const suffix = known.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return {
    isPublic: false,
    region: known,
    tokens: `https://sts.${known}.${suffix}`,
    audience: `sts.${suffix}`,
  };
}

function halfPair(missing: string): UserError {
  return new UserError({
    title: "Half of the keys for the bucket is missing",
    cause: `The ${missing} was not given, or is empty: a secret of another repository or environment is empty here.`,
    remedy: "Give the access key and its secret together, or neither.",
  });
}
