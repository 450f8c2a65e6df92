/** Whose registry it is, by its host's name, and what is needed to sign in there. */
export type Cloud =
  | { readonly kind: "github" }
  | EcrRegistry
  | { readonly kind: "google" }
  | { readonly kind: "azure"; readonly authority: string };

/** A part of AWS that keys are wanted for. */
export interface AwsSite {
  /** What is public can be had without keys: an instance's metadata is then not asked. */
  readonly isPublic: boolean;
  readonly region: string;
  /** Address of the token service of its region. */
  readonly tokens: string;
  /** The audience that the token service expects of an id token. */
  readonly audience: string;
}

/** A registry of Amazon's. */
export interface EcrRegistry extends AwsSite {
  readonly kind: "ecr";
  /** The account that it belongs to; undefined for the public one. */
  readonly account: string | undefined;
  /** Address of its API. */
  readonly api: string;
}

// Source: Amazon ECR, "Private registries" and "Endpoints and quotas": with FIPS, and dual-stack.
const ECR = /^(\d{12})\.dkr\.ecr(-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d+)\.(amazonaws\.com(?:\.cn)?)$/;
const ECR_DUAL_STACK = /^(\d{12})\.dkr-ecr(-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d+)\.on\.aws$/;
const ECR_PUBLIC = new Set(["public.ecr.aws", "ecr-public.aws.com"]);
const GOOGLE = /^(?:[a-z0-9-]+-docker\.pkg\.dev|(?:[a-z]+\.)?gcr\.io)$/;
const AZURE = /^[a-z0-9-]+(?:\.[a-z0-9-]+)?\.azurecr\.(io|cn|us)$/;
const AUTHORITIES: Readonly<Record<string, string>> = {
  io: "https://login.microsoftonline.com",
  cn: "https://login.partner.microsoftonline.cn",
  us: "https://login.microsoftonline.us",
};

/** The cloud whose registry answers at a host; undefined for any other registry. */
export function cloudOf(
  host: string,
  environment: Readonly<Record<string, string | undefined>>,
): Cloud | undefined {
  if (isGitHub(host, environment.GITHUB_SERVER_URL)) return { kind: "github" };
  if (ECR_PUBLIC.has(host)) return ecrPublic;
  if (GOOGLE.test(host)) return { kind: "google" };
  const azure = AZURE.exec(host)?.[1];
  if (azure !== undefined) return { kind: "azure", authority: AUTHORITIES[azure] ?? "" };
  return ecrOf(host);
}

/** GitHub's registry, or that of the server that this job runs on. */
function isGitHub(host: string, server: string | undefined): boolean {
  if (host === "ghcr.io") return true;
  const own = URL.canParse(server ?? "") ? new URL(server ?? "").host : "github.com";
  return own !== "github.com" && host === `containers.${own}`;
}

// The public registry's API, and with it its tokens, are in this region only.
const ecrPublic: EcrRegistry = {
  kind: "ecr",
  isPublic: true,
  account: undefined,
  region: "us-east-1",
  api: "https://api.ecr-public.us-east-1.amazonaws.com",
  tokens: "https://sts.us-east-1.amazonaws.com",
  audience: "sts.amazonaws.com",
};

function ecrOf(host: string): EcrRegistry | undefined {
  const [, account, fips = "", region, suffix] = ECR.exec(host) ?? [];
  if (account !== undefined && region !== undefined && suffix !== undefined) {
    const service = fips === "" ? "api.ecr" : "ecr-fips";
    return {
      ...{ kind: "ecr", isPublic: false, account, region },
      api: `https://${service}.${region}.${suffix}`,
      tokens: `https://sts.${region}.${suffix}`,
      audience: `sts.${suffix}`,
    };
  }
  const [, owner, dualFips = "", place] = ECR_DUAL_STACK.exec(host) ?? [];
  if (owner === undefined || place === undefined) return undefined;
  return {
    ...{ kind: "ecr", isPublic: false, account: owner, region: place },
    api: `https://ecr${dualFips}.${place}.api.aws`,
    tokens: `https://sts.${place}.amazonaws.com`,
    audience: "sts.amazonaws.com",
  };
}
