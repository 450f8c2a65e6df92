/** An object of a bucket, as the listing keeps it: a line of JSON each. */
export interface Entry {
  /** Whole, with what was asked for as prefix. */
  readonly key: string;
  readonly version?: string;
  /** It is not the version that the key shows. */
  readonly earlier?: true;
  /** The mark of a deletion, which has no content. */
  readonly marker?: true;
  readonly size: number;
  readonly etag: string;
  /** Of the content; a mark of a deletion has none. */
  readonly sha256?: string;
  /** ISO 8601. */
  readonly modified: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, string>>;
}

/** Objects one after the other in a part, and the listing that tells them apart, in their order. */
export interface Pack {
  readonly part: string;
  readonly listing: string;
  readonly objects: number;
  readonly bytes: number;
  /** Of the listing. */
  readonly sha256: string;
}

/** What a backup of a bucket keeps beside its parts. */
export interface BucketFingerprint {
  readonly schema: 1;
  readonly kind: "bucket";
  readonly place: string;
  readonly versions: boolean;
  readonly objects: number;
  readonly bytes: number;
  readonly packs: readonly Pack[];
}
