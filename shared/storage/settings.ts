/** Where backups are kept, and with what. */
export interface StorageSettings {
  /** As a user writes it: a path, `file:///path`, `s3://bucket/prefix`, `artifact:`. */
  readonly location: string;
  /** Whether a folder that is not there is made; otherwise that is an error. */
  readonly create?: boolean | undefined;
}
