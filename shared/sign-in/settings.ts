import type { WebApi } from "../web-api/index.ts";
import type { World } from "../world/index.ts";

/** What a step was given to sign in with. */
export interface SignInSettings {
  /** The account at this registry, and its password. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** The job's own token, for GitHub's registry. */
  readonly token?: string | undefined;
  /** ARN of the role to take on at AWS. */
  readonly awsRole?: string | undefined;
  /** `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER` */
  readonly googleWorkloadIdentityProvider?: string | undefined;
  /** The account to act as; the federated identity itself when left out. */
  readonly googleServiceAccount?: string | undefined;
  readonly azureClientId?: string | undefined;
  readonly azureTenantId?: string | undefined;
  /**
   * The registry may do without: where nothing is pushed, or only base images are read, a cloud's
   * refusal is told, half a pair counts as none, and the registry is asked without credentials.
   */
  readonly optional?: boolean | undefined;
}

export type SignInWorld = Pick<World, "clock" | "environment" | "log" | "secrets" | "signal">;

/** What the ways of signing in work with. */
export interface Means {
  readonly api: WebApi;
  readonly settings: SignInSettings;
  readonly world: SignInWorld;
}

/** An account that a cloud gave us. */
export interface CloudAccount {
  readonly username: string;
  readonly password: string;
  /** Completes "signed in by ...". */
  readonly by: string;
}

/** Nothing was found to sign in with; the sentence says where was looked. */
export interface NoAccount {
  readonly looked: string;
}
