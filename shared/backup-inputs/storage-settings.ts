import { UserError } from "../failure/index.ts";
import type { StorageSettings } from "../storage/index.ts";
import type { KeepingOptions, StorageOptions } from "./storage-inputs.ts";

/** The settings of the storage that the inputs name. */
export function storageSettings(options: StorageOptions): StorageSettings {
  return {
    location: options.storage,
    endpoint: options.storageEndpoint,
    region: options.storageRegion,
    pathStyle: options.storagePathStyle,
    accessKeyId: options.storageAccessKeyId,
    secretAccessKey: options.storageSecretAccessKey,
    sessionToken: options.storageSessionToken,
    role: options.storageRole,
    ca: options.storageCa,
    githubToken: options.token,
  };
}

/**
 * The same, for what is written too.
 *
 * @throws {UserError} where a lock has no end, or an end no lock.
 */
export function keepingSettings(options: StorageOptions & KeepingOptions): StorageSettings {
  const { lockMode: mode, lockDays: days, storageClass, storageKmsKey: kmsKey } = options;
  if ((mode === "none") !== (days === undefined)) {
    throw new UserError({
      title: "A lock needs a mode and a number of days",
      cause: `lock-mode is ${mode}, and lock-days is ${days ?? "not given"}.`,
      remedy: "Give both, or neither for the bucket's own rule. Nothing was written yet.",
    });
  }
  const forBuckets = {
    "lock-mode": days,
    "storage-class": storageClass,
    "storage-kms-key": kmsKey,
  };
  const given = Object.entries(forBuckets).filter(([, value]) => value !== undefined);
  if (given.length > 0 && !/^s3:\/\//i.test(options.storage)) throw onlyInBuckets(given);
  const lock = mode === "none" || days === undefined ? undefined : { mode, days };
  return { ...storageSettings(options), create: true, storageClass, kmsKey, lock };
}

function onlyInBuckets(given: readonly (readonly [string, unknown])[]): UserError {
  return new UserError({
    title: "The storage cannot do what is asked of it",
    cause: `${given.map(([name]) => name).join(", ")}: only a bucket, s3://..., knows of such, and storage is none.`,
    remedy: "Keep the backups in a bucket, or leave it out. Nothing was written yet.",
  });
}
