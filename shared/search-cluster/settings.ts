import type { Cluster } from "../kubernetes/index.ts";

/** What speaks the interface. */
export type Product = "opensearch" | "elasticsearch";

/** Where a cluster of OpenSearch or Elasticsearch is, and how to be let in. */
export interface SearchAccess {
  readonly product: Product;
  /**
   * `https://search.example:9200`, with user and password and a path as need be. Of a cluster in
   * pods: `http://127.0.0.1:9200` when left out.
   */
  readonly url?: string | undefined;
  /** Where the address names none. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** As the cluster shows it, `id:key` or both in base64. It takes the place of user and password. */
  readonly apiKey?: string | undefined;
  /** Certificates as PEM that vouch for the cluster; the system's when left out. */
  readonly ca?: string | undefined;
  /** A pod of the cluster: its port is reached through the Kubernetes API server. */
  readonly pod?: SearchPod | undefined;
}

export interface SearchPod {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly pod: string;
}

/** The snapshot repository, as the cluster knows it or is to be told. */
export interface RepositorySettings {
  /** `fs`, `s3`, `gcs`, `azure`, `url` or what plugins add. */
  readonly type: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** What to back up, and where to. */
export interface SearchSettings extends SearchAccess {
  /**
   * Patterns of indices and data streams; one that begins with `-` leaves out. Everything but
   * hidden and system indices when left out.
   */
  readonly indices?: readonly string[] | undefined;
  /** Name of the snapshot repository in the cluster. */
  readonly repository?: string | undefined;
  /** Registers the repository where the cluster does not know it. */
  readonly repositorySettings?: RepositorySettings | undefined;
  /** Whether the cluster's own state (templates, pipelines, settings) goes into the snapshot. */
  readonly globalState?: boolean | undefined;
  /** How many slices of an index are read at once; 2 when left out. */
  readonly readers?: number | undefined;
}
