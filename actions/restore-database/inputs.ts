import {
  choice,
  duration,
  flag,
  type Inputs,
  integer,
  type OptionsOf,
  text,
  words,
} from "../../shared/action/index.ts";
import {
  connectionInputs,
  passwordsIn,
  podInputs,
  storageInputs,
} from "../../shared/backup-inputs/index.ts";

const HOUR = 3_600_000;
const NAME = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;

export const inputs = {
  name: text({ required: true, accepts: "a name of a-z, 0-9, dot, hyphen and underscore" }, NAME),
  backup: text({ default: "latest", accepts: "latest, proven, before a time, or an id" }),
  ...storageInputs,
  identity: text({ secret: true, accepts: "AGE-SECRET-KEY-1..." }, /AGE-SECRET-KEY-1/),
  passphrase: text({ secret: true, accepts: "the passphrase of the backup" }),
  "verification-key": text({ accepts: "a public key as PEM" }, /-----BEGIN [A-Z ]*PUBLIC KEY-----/),
  target: text({
    accepts: "an address such as postgres://user@host/database",
    secretsIn: passwordsIn,
  }),
  "target-ca": text({ accepts: "certificates as PEM" }, /-----BEGIN CERTIFICATE-----/),
  ...connectionInputs,
  ...podInputs,
  replace: text({ accepts: "the target's name, typed once more" }),
  method: choice(["switch", "in-place"], { default: "switch" }),
  owners: choice(["keep", "leave"], { default: "keep" }),
  tables: words({ accepts: "tables as schema.table, by white space or commas" }),
  "backup-before": flag({ default: "true" }),
  "encrypt-to": words({ accepts: "age recipients, age1..., by white space or commas" }),
  "keep-previous": flag({ default: "true" }),
  "thaw-tier": choice(["expedited", "standard", "bulk"], { default: "standard" }),
  "thaw-days": integer({ min: 1, max: 365 }, { default: "2" }),
  "postgres-bin": text({ accepts: "a folder with pg_restore and psql" }),
  jobs: integer({ min: 1, max: 64 }, { default: "2" }),
  "time-limit": duration({ min: 5_000, max: 7 * 24 * HOUR }, { default: "12h" }),
  report: text({ default: "restore-report", accepts: "the path of a folder" }),
} satisfies Inputs;

export const outputs = [
  "backup",
  "target",
  "previous-backup",
  "previous-database",
  "lost-seconds",
  "restore-seconds",
  "phases",
  "findings",
  "report",
  "seconds",
] as const;

export type Options = OptionsOf<typeof inputs>;
export type OutputName = (typeof outputs)[number];
