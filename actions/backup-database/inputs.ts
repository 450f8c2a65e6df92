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
  keepingInputs,
  passwordsIn,
  podInputs,
  sealingInputs,
  searchInputs,
  storageInputs,
} from "../../shared/backup-inputs/index.ts";

const HOUR = 3_600_000;
/** A series' name becomes a folder, and a label of metrics. */
const NAME = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;

export const inputs = {
  name: text({ required: true, accepts: "a name of a-z, 0-9, dot, hyphen and underscore" }, NAME),
  kind: choice(
    ["auto", "postgres", "redis", "opensearch", "elasticsearch", "bucket", "directory"],
    {
      default: "auto",
    },
  ),
  source: text({
    accepts: "an address such as postgres://user@host/database, or a folder",
    secretsIn: passwordsIn,
  }),
  "source-ca": text({ accepts: "certificates as PEM" }, /-----BEGIN CERTIFICATE-----/),
  "client-certificate": text({ accepts: "a certificate as PEM" }, /-----BEGIN CERTIFICATE-----/),
  "client-key": text(
    { secret: true, accepts: "its key as PEM" },
    /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  ),
  ...connectionInputs,
  ...podInputs,
  format: choice(["custom", "directory", "plain"], { default: "custom" }),
  jobs: integer({ min: 1, max: 64 }, { default: "2" }),
  schemas: words({ accepts: "patterns of schemas, by white space or commas" }),
  "exclude-schemas": words({ accepts: "patterns of schemas, by white space or commas" }),
  tables: words({ accepts: "patterns of tables, by white space or commas" }),
  "exclude-tables": words({ accepts: "patterns of tables, by white space or commas" }),
  "exclude-table-data": words({ accepts: "patterns of tables, by white space or commas" }),
  heartbeat: text({ accepts: "a query that gives the time of the newest row" }),
  "replica-lag": duration({ min: 0, max: 30 * 24 * HOUR }, { default: "5m" }),
  "lock-timeout": duration({ min: 100, max: 24 * HOUR }, { default: "30s" }),
  globals: flag({ default: "false" }),
  "postgres-bin": text({ accepts: "a folder with pg_dump and psql" }),
  ...searchInputs,
  exclude: list({ accepts: "patterns of paths, one a line or by commas" }),
  versions: flag({ default: "false" }),
  "source-endpoint": text(
    { accepts: "the address of an S3-compatible server, https://..." },
    /^https?:\/\/[^\s/]+(\/\P{Cc}*)?$/u,
  ),
  "source-region": text({ accepts: "a region such as eu-central-1" }, /^[\w-]+$/),
  "source-access-key-id": text({ accepts: "an access key's id" }),
  "source-secret-access-key": text({ secret: true, accepts: "that key's secret" }),
  ...storageInputs,
  ...keepingInputs,
  ...sealingInputs,
  keep: text({
    accepts: "such as last=3 daily=7 weekly=5 monthly=12 yearly=3, or all",
    default: "all",
  }),
  "keep-mode": choice(["delete", "dry-run"], { default: "delete" }),
  timeout: duration({ min: 1_000, max: 24 * HOUR }, { default: "6h" }),
} satisfies Inputs;

export const outputs = [
  "backup",
  "location",
  "kind",
  "taken",
  "bytes",
  "stored-bytes",
  "measures",
  "fingerprint",
  "manifest",
  "deleted",
  "seconds",
] as const;

export type Options = OptionsOf<typeof inputs>;
export type OutputName = (typeof outputs)[number];
