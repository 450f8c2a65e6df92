import {
  bytes,
  choice,
  duration,
  flag,
  type Inputs,
  integer,
  type OptionsOf,
  text,
} from "../../shared/action/index.ts";
import { foreignInputs, passwordsIn, storageInputs } from "../../shared/backup-inputs/index.ts";

const HOUR = 3_600_000;
const NAME = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;
const NAMESPACE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
/** A Kubernetes quantity of bytes. */
const QUANTITY = /^\d+(\.\d+)?([kMGTPE]|[KMGTPE]i)?$/;

export const inputs = {
  name: text({ accepts: "a name of a-z, 0-9, dot, hyphen and underscore" }, NAME),
  backup: text({ default: "latest", accepts: "latest, an id or its beginning, or a file" }),
  ...foreignInputs,
  kind: choice(["auto", "postgres", "base-backup", "pgbackrest", "wal-g", "redis", "directory"], {
    default: "auto",
  }),
  ...storageInputs,
  tier: choice(["integrity", "data", "full"], { default: "data" }),
  rpo: duration({ min: 1_000, max: 3_650 * 24 * HOUR }, {}),
  rto: duration({ min: 1_000, max: 365 * 24 * HOUR }, {}),
  "size-tolerance": integer({ min: 1, max: 1_000_000 }, { default: "50" }),
  identity: text({ secret: true, accepts: "AGE-SECRET-KEY-1..." }, /AGE-SECRET-KEY-1/),
  passphrase: text({ secret: true, accepts: "the passphrase of the backup" }),
  "verification-key": text({ accepts: "a public key as PEM" }, /-----BEGIN [A-Z ]*PUBLIC KEY-----/),
  "report-key": text({ secret: true, accepts: "a private key as PEM" }, PRIVATE_KEY),
  "report-passphrase": text({ secret: true, accepts: "that key's passphrase" }),
  server: choice(["auto", "local", "docker", "job"], { default: "auto" }),
  image: text({ accepts: "an image of the server" }, /^[\w./:@-]+$/),
  "postgres-bin": text({ accepts: "a folder with the programs of PostgreSQL" }),
  namespace: text({ default: "default", accepts: "a namespace's name" }, NAMESPACE),
  kubeconfig: text({ accepts: "a kubeconfig's path, content, or content in base64" }),
  context: text({ accepts: "the name of a context of the kubeconfig" }),
  "volume-size": text({ accepts: "a size such as 50Gi" }, QUANTITY),
  "volume-class": text({ accepts: "the name of a storage class" }, /^[\w.-]+$/),
  memory: bytes({ min: 16 * 2 ** 20, max: 2 ** 50 }, { default: "2Gi" }),
  "time-limit": duration({ min: 5_000, max: 48 * HOUR }, { default: "2h" }),
  jobs: integer({ min: 1, max: 64 }, { default: "2" }),
  "thaw-tier": choice(["none", "expedited", "standard", "bulk"], { default: "none" }),
  "thaw-days": integer({ min: 1, max: 365 }, { default: "2" }),
  amcheck: flag({ default: "true" }),
  queries: text({ accepts: "a YAML list of name, sql and expect" }),
  expectations: text({ accepts: "expectations as YAML" }),
  "live-source": text({ accepts: "the address of a database", secretsIn: passwordsIn }),
  "restore-to": text({ accepts: "an address", secretsIn: passwordsIn }),
  "restore-user": text({ accepts: "a user there" }),
  "restore-password": text({ secret: true, accepts: "that user's password" }),
  database: text({ accepts: "the name of a database" }),
  report: text({ default: "backup-verification", accepts: "the path of a folder" }),
  "metrics-file": text({ accepts: "the path of a file" }),
  pushgateway: text(
    { accepts: "the address of a Pushgateway", secretsIn: passwordsIn },
    /^https?:\/\/\S+$/,
  ),
  record: flag({ default: "true" }),
} satisfies Inputs;

export const outputs = [
  "backup",
  "tier",
  "age-seconds",
  "restore-seconds",
  "findings",
  "unknown",
  "report",
  "evidence",
  "seconds",
] as const;

export type Options = OptionsOf<typeof inputs>;
export type OutputName = (typeof outputs)[number];
