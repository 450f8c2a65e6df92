import { UserError } from "../../failure/index.ts";
import type { StorageSettings } from "../settings.ts";

const DAY_MS = 86_400_000;

/**
 * What an object is to be like, as headers of the request that makes it.
 *
 * @throws {UserError} for settings that S3 cannot take.
 */
export function writeHeaders(settings: StorageSettings, now: number): Record<string, string> {
  const { storageClass, kmsKey, tags, lock } = settings;
  const headers: Record<string, string> = {};
  if (storageClass)
    headers["x-amz-storage-class"] = storageClass.toUpperCase().replaceAll("-", "_");
  if (kmsKey && /^(aes256|sse-s3)$/i.test(kmsKey)) {
    headers["x-amz-server-side-encryption"] = "AES256";
  } else if (kmsKey) {
    headers["x-amz-server-side-encryption"] = "aws:kms";
    headers["x-amz-server-side-encryption-aws-kms-key-id"] = kmsKey;
  }
  const pairs = Object.entries(tags ?? {});
  if (pairs.length > 0) headers["x-amz-tagging"] = new URLSearchParams(pairs).toString();
  if (lock !== undefined) {
    headers["x-amz-object-lock-mode"] = lock.mode.toUpperCase();
    headers["x-amz-object-lock-retain-until-date"] = new Date(
      now + lock.days * DAY_MS,
    ).toISOString();
  }
  return headers;
}

/** Holds settings to what S3 takes, before anything is sent. */
export function checkSettings({ lock, tags, ca, storageClass }: StorageSettings): void {
  const wrong = (cause: string, remedy: string) =>
    new UserError({ title: "A setting of the storage is wrong", cause, remedy });
  if (lock !== undefined && !(lock.days > 0 && lock.days <= 36_500)) {
    throw wrong(`The lock is for ${lock.days} days.`, "Give from 1 to 36500 days.");
  }
  if (Object.keys(tags ?? {}).length > 10) {
    throw wrong("There are more than 10 tags.", "S3 takes at most 10 tags for an object.");
  }
  if (storageClass && !/^[A-Za-z_-]{1,40}$/.test(storageClass)) {
    throw wrong(
      `${JSON.stringify(storageClass.slice(0, 80))} is no storage class.`,
      "Give one as S3 names it, such as STANDARD_IA or GLACIER_IR.",
    );
  }
  if (ca && !/-----BEGIN CERTIFICATE-----/.test(ca)) {
    throw wrong(
      "The certificate to trust is not in PEM form.",
      "Give the text of the certificate, from -----BEGIN CERTIFICATE----- on.",
    );
  }
}
