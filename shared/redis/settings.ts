import type { Cluster } from "../kubernetes/index.ts";

/** Where a server is, and how to be let in. */
export interface RedisSettings {
  /**
   * `redis://`, `rediss://` for TLS (`valkey://` and `valkeys://` likewise), or `unix:///path`; with
   * user, password and port as need be. Of a server in a pod: 127.0.0.1:6379 when left out.
   */
  readonly url?: string | undefined;
  /** Where the address names none. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Certificates as PEM that vouch for the server; the system's when left out. */
  readonly ca?: string | undefined;
  /** For servers that ask for a certificate: it and its key as PEM. */
  readonly clientCertificate?: string | undefined;
  readonly clientKey?: string | undefined;
  /** The pod where it runs: its port is reached through the API server. */
  readonly pod?: RedisPod | undefined;
}

export interface RedisPod {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly pod: string;
}
