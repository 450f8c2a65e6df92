/** Where backups are kept, and with what. */
export interface StorageSettings {
  /** As a user writes it: a path, `file:///path`, `s3://bucket/prefix`, `artifact:`. */
  readonly location: string;
  /** Whether a folder that is not there is made; otherwise that is an error. */
  readonly create?: boolean | undefined;

  /** The server that has the bucket; Amazon's own unless this or AWS_ENDPOINT_URL_S3 names one. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** Whether the bucket stands in the path; found out by the endpoint when left out. */
  readonly pathStyle?: boolean | undefined;
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  readonly sessionToken?: string | undefined;
  /** ARN of a role to take on, by the job's identity (OIDC) or by the keys. */
  readonly role?: string | undefined;
  /** Certificates to trust beside the usual ones, in PEM. */
  readonly ca?: string | undefined;
  /** As S3 names it: `STANDARD_IA`, `GLACIER_IR`, `DEEP_ARCHIVE`. */
  readonly storageClass?: string | undefined;
  /** Encryption at rest: ID or ARN of a KMS key, or `AES256` for keys of S3's own. */
  readonly kmsKey?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Locks what is written; a bucket's own default is respected when left out. */
  readonly lock?: { readonly mode: "governance" | "compliance"; readonly days: number } | undefined;

  /** A token with `actions: read`, to find artifacts of earlier runs. */
  readonly githubToken?: string | undefined;
  /** How long artifacts are kept; the repository's own setting when left out. */
  readonly retentionDays?: number | undefined;
}
