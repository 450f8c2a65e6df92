import { UserError } from "../../../shared/failure/index.ts";
import type { StorageSettings } from "../../../shared/storage/index.ts";
import type { Options } from "../inputs.ts";

/**
 * How the bucket to restore into is reached: with the storage's own keys where it has none.
 *
 * @param origin where the backup was taken, for an example.
 * @throws {UserError} where none was named, or the name that was typed is not its.
 */
export function targetSettings(options: Options, origin: string): StorageSettings {
  const { target: location, replace, storage, method } = options;
  if (location === undefined) {
    throw new UserError({
      title: "The bucket to restore into was not named",
      cause: "The backup is one of a bucket, and target is not given.",
      remedy: `Give target, such as ${origin}, where it was taken. Nothing was changed.`,
    });
  }
  if (!/^s3:\/\//i.test(location)) {
    throw new UserError({
      title: "The bucket cannot be restored there",
      cause: `${location.replace(/\/\/[^@\s]*@/, "//***@")} names no bucket, and the backup is one of a bucket.`,
      remedy: "Give target as s3://bucket/prefix. Nothing was changed.",
    });
  }
  if (method === "in-place") {
    throw new UserError({
      title: "A bucket has one method only",
      cause: "method is in-place, and objects are always written where they belong.",
      remedy: "Leave method out. Nothing was changed.",
    });
  }
  requireTypedRight(location, replace);
  const isOwn = options.targetEndpoint === undefined && /^s3:\/\//i.test(storage);
  const hasKeys = options.targetAccessKeyId !== undefined;
  return {
    location,
    endpoint: options.targetEndpoint ?? (isOwn ? options.storageEndpoint : undefined),
    region: options.targetRegion ?? (isOwn ? options.storageRegion : undefined),
    pathStyle: options.storagePathStyle,
    accessKeyId: options.targetAccessKeyId ?? options.storageAccessKeyId,
    secretAccessKey: hasKeys ? options.targetSecretAccessKey : options.storageSecretAccessKey,
    sessionToken: hasKeys ? undefined : options.storageSessionToken,
    role: hasKeys ? undefined : options.storageRole,
    ca: options.targetCa ?? options.storageCa,
  };
}

function requireTypedRight(location: string, replace: string | undefined): void {
  const isSame = (a: string) => a.replace(/\/+$/, "") === location.replace(/\/+$/, "");
  if (replace === undefined || isSame(replace)) return;
  throw new UserError({
    title: "The name that was typed is not the target's",
    cause: `replace is ${JSON.stringify(replace)}, and the target is ${JSON.stringify(location)}.`,
    remedy: "Look again which bucket and prefix are meant. Nothing was changed.",
  });
}
