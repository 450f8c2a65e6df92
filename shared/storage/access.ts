import { homedir } from "node:os";
import type { AwsKeys } from "../sign-in/index.ts";
import type { World } from "../world/index.ts";
import { parseLocation } from "./location.ts";
import type { StorageSettings } from "./settings.ts";

/** Where a storage is, for programs of others that read it by themselves. */
export type StorageAccess =
  | { readonly kind: "folder"; readonly path: string }
  | BucketAccess
  | { readonly kind: "artifact" };

/** How a bucket is asked. */
export interface BucketAccess {
  readonly kind: "s3";
  readonly bucket: string;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
  /** Without the bucket. */
  readonly endpoint: URL;
  readonly region: string;
  /** The bucket stands in the path, and not in the host's name. */
  readonly pathStyle: boolean;
  /** Certificates to trust beside the usual ones, in PEM. */
  readonly ca: string | undefined;
  /** Keys that are good for some time; found anew before they expire. They are known as secrets. */
  keys(signal: AbortSignal): Promise<AwsKeys>;
}

/**
 * Tells where a storage is, and by which keys it is asked. Nothing is asked yet.
 *
 * @throws {UserError} where the location is not understood.
 */
export async function storageAccess(
  settings: StorageSettings,
  world: World,
): Promise<StorageAccess> {
  const location = parseLocation(locationText(settings, world), workspaceOf(world));
  if (location.kind === "folder") return location;
  if (location.kind === "artifact") return { kind: "artifact" };
  const { bucket, prefix } = location;
  const { addressOf } = await import("./s3/address.ts");
  const { Keys } = await import("./s3/keys.ts");
  const { certificates } = await import("./s3/s3-storage.ts");
  const address = addressOf(bucket, settings, world.environment);
  const keys = new Keys(settings, address, world);
  return {
    ...{ kind: "s3", bucket, prefix, endpoint: address.base },
    ...{ region: address.region, pathStyle: address.pathStyle },
    ca: await certificates(settings, world),
    keys: async (signal) => {
      const found = (await keys.get(signal)).keys;
      for (const secret of [found.secretAccessKey, found.sessionToken])
        if (secret) world.secrets.add(secret);
      return found;
    },
  };
}

/** The location as it was written, with the home folder put in for `~`. */
export function locationText({ location }: StorageSettings, { environment }: World): string {
  return location.replace(/^~(?=\/|$)/, environment.HOME || homedir());
}

/** The folder that a relative path counts from. */
export function workspaceOf({ environment }: World): string {
  return environment.GITHUB_WORKSPACE || process.cwd();
}
