import {
  choice,
  duration,
  flag,
  type Inputs,
  integer,
  list,
  type OptionsOf,
  text,
  words,
} from "../../shared/action/index.ts";
import {
  connectionInputs,
  foreignInputs,
  passwordsIn,
  podInputs,
  searchInputs,
  storageInputs,
} from "../../shared/backup-inputs/index.ts";

const HOUR = 3_600_000;
const NAME = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;

export const inputs = {
  name: text({ accepts: "a name of a-z, 0-9, dot, hyphen and underscore" }, NAME),
  backup: text({ default: "latest", accepts: "latest, proven, before a time, an id, or a file" }),
  ...foreignInputs,
  kind: choice(["auto", "postgres", "base-backup", "pgbackrest", "wal-g"], { default: "auto" }),
  "source-database": text({ accepts: "the name of a database of the backup" }),
  ...storageInputs,
  identity: text({ secret: true, accepts: "AGE-SECRET-KEY-1..." }, /AGE-SECRET-KEY-1/),
  passphrase: text({ secret: true, accepts: "the passphrase of the backup" }),
  "verification-key": text({ accepts: "a public key as PEM" }, /-----BEGIN [A-Z ]*PUBLIC KEY-----/),
  target: text({
    accepts: "an address such as postgres://user@host/database, or a folder",
    secretsIn: passwordsIn,
  }),
  "target-endpoint": text(
    { accepts: "the address of an S3-compatible server, https://..." },
    /^https?:\/\/[^\s/]+(\/\P{Cc}*)?$/u,
  ),
  "target-region": text({ accepts: "a region such as eu-central-1" }, /^[\w-]+$/),
  "target-access-key-id": text({ accepts: "an access key's id" }),
  "target-secret-access-key": text({ secret: true, accepts: "that key's secret" }),
  "target-folder": text({ accepts: "the path of an empty folder" }),
  "target-ca": text({ accepts: "certificates as PEM" }, /-----BEGIN CERTIFICATE-----/),
  "client-certificate": text({ accepts: "a certificate as PEM" }, /-----BEGIN CERTIFICATE-----/),
  "client-key": text(
    { secret: true, accepts: "its key as PEM" },
    /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  ),
  ...connectionInputs,
  ...podInputs,
  replace: text({ accepts: "the target's name, typed once more" }),
  method: choice(["switch", "in-place"], { default: "switch" }),
  owners: choice(["keep", "leave"], { default: "keep" }),
  paths: list({ accepts: "patterns of paths, one a line or by commas" }),
  ...searchInputs,
  tables: words({ accepts: "tables as schema.table, by white space or commas" }),
  "backup-before": flag({ default: "true" }),
  "encrypt-to": words({ accepts: "age recipients, age1..., by white space or commas" }),
  "keep-previous": flag({ default: "true" }),
  "thaw-tier": choice(["expedited", "standard", "bulk"], { default: "standard" }),
  "thaw-days": integer({ min: 1, max: 365 }, { default: "2" }),
  "postgres-bin": text({ accepts: "a folder with pg_restore and psql" }),
  "recovery-bin": text({ accepts: "a folder with the programs of a server" }),
  jobs: integer({ min: 1, max: 64 }, { default: "2" }),
  "time-limit": duration({ min: 5_000, max: 7 * 24 * HOUR }, { default: "12h" }),
  report: text({ default: "restore-report", accepts: "the path of a folder" }),
} satisfies Inputs;

export const outputs = [
  "backup",
  "target",
  "previous-backup",
  "previous-database",
  "previous-folder",
  "lost-seconds",
  "restore-seconds",
  "phases",
  "findings",
  "report",
  "seconds",
] as const;

export type Options = OptionsOf<typeof inputs>;
export type OutputName = (typeof outputs)[number];
