import {
  choice,
  flag,
  type Inputs,
  integer,
  jobToken,
  type OptionsOf,
  text,
} from "../action/index.ts";
import { passwordsIn } from "./passwords.ts";

/** The inputs of every action that reads or writes backups: where they are. */
export const storageInputs = {
  storage: text({
    required: true,
    accepts: "a folder, s3://bucket/prefix, or artifact:",
    secretsIn: passwordsIn,
  }),
  "storage-endpoint": text(
    { accepts: "the address of an S3-compatible server, https://..." },
    /^https?:\/\/[^\s/]+(\/\P{Cc}*)?$/u,
  ),
  "storage-region": text({ accepts: "a region such as eu-central-1" }, /^[\w-]+$/),
  "storage-path-style": flag({}),
  "storage-access-key-id": text({ accepts: "an access key's id" }),
  "storage-secret-access-key": text({ secret: true, accepts: "that key's secret" }),
  "storage-session-token": text({ secret: true, accepts: "the token of a temporary key" }),
  "storage-role": text(
    { accepts: "the ARN of a role" },
    /^arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/,
  ),
  "storage-ca": text({ accepts: "certificates as PEM" }, /-----BEGIN CERTIFICATE-----/),
  token: jobToken("a token for GitHub"),
} satisfies Inputs;

/** The inputs of actions that write backups: how the storage keeps them. */
export const keepingInputs = {
  "storage-class": text({ accepts: "a storage class such as STANDARD_IA" }, /^[A-Z0-9_]+$/),
  "storage-kms-key": text({ accepts: "the id or ARN of a KMS key" }),
  "lock-mode": choice(["none", "governance", "compliance"], { default: "none" }),
  "lock-days": integer({ min: 1, max: 36_500 }, {}),
} satisfies Inputs;

export type StorageOptions = OptionsOf<typeof storageInputs>;
export type KeepingOptions = OptionsOf<typeof keepingInputs>;
