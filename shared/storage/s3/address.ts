import { UserError } from "../../failure/index.ts";
import { escaped } from "../../sign-in/index.ts";
import type { StorageSettings } from "../settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where a bucket is asked. */
export interface Address {
  /** Without the bucket: `https://s3.eu-west-1.amazonaws.com`, `http://minio:9000`. */
  readonly base: URL;
  readonly bucket: string;
  readonly region: string;
  /** The bucket stands in the path, and not in the host's name. */
  readonly pathStyle: boolean;
  /** Amazon itself: its regions are known by their names. */
  readonly isAmazon: boolean;
}

const AMAZON =
  /^s3[.-](?:dualstack\.)?(?:fips\.)?([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com(?:\.cn)?$/;
/** Others whose hosts name the region: Wasabi, DigitalOcean, Backblaze, Scaleway, OVH, Linode. */
const NAMED_REGION =
  /^s3\.([a-z0-9-]+)\.(?:wasabisys|backblazeb2|scw|io\.cloud\.ovh)\.|^([a-z]{2,4}-?[a-z]*-?\d)\.(?:digitaloceanspaces|linodeobjects)\.com$/;

/**
 * Where to ask for a bucket, from what the user set, and else from AWS's usual variables.
 *
 * @throws {UserError} for an endpoint that is no address.
 */
export function addressOf(
  bucket: string,
  settings: Pick<StorageSettings, "endpoint" | "region" | "pathStyle">,
  environment: Environment,
): Address {
  const ignored = environment.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === "true";
  const configured = ignored
    ? undefined
    : environment.AWS_ENDPOINT_URL_S3 || environment.AWS_ENDPOINT_URL;
  const endpoint = settings.endpoint || configured;
  const given = settings.region || environment.AWS_REGION || environment.AWS_DEFAULT_REGION;
  if (!endpoint) return amazonAddress(bucket, given || "us-east-1", settings.pathStyle);
  const base = endpointOf(endpoint);
  const ofHost = AMAZON.exec(base.hostname)?.[1];
  if (ofHost !== undefined)
    return amazonAddress(bucket, settings.region || ofHost, settings.pathStyle);
  const region = settings.region || regionOf(base.hostname) || given || "us-east-1";
  return { base, bucket, region, pathStyle: settings.pathStyle ?? true, isAmazon: false };
}

function regionOf(host: string): string | undefined {
  if (host.endsWith(".r2.cloudflarestorage.com")) return "auto";
  const [, region, other] = NAMED_REGION.exec(host) ?? [];
  return region ?? other;
}

/** Amazon's own address for a region. Dots in a bucket's name do not go with its certificates. */
export function amazonAddress(
  bucket: string,
  region: string,
  pathStyle: boolean | undefined,
): Address {
  if (!/^[a-z0-9-]{1,40}$/.test(region)) {
    throw new UserError({
      title: "The region of the bucket is not understood",
      cause: `${JSON.stringify(region)} is no name of a region.`,
      remedy: "Give a region such as eu-west-1.",
    });
  }
  const suffix = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  const base = new URL(`https://s3.${region}.${suffix}`);
  const isPlain = /^[a-z0-9-]+$/.test(bucket);
  return { base, bucket, region, pathStyle: pathStyle ?? !isPlain, isAmazon: true };
}

function endpointOf(text: string): URL {
  const given = /^[a-z]+:\/\//i.test(text) ? text : `https://${text}`;
  const url = URL.parse(given);
  const isOdd = url === null || !/^https?:$/.test(url.protocol) || url.username !== "";
  if (isOdd || url.search !== "" || url.hash !== "") {
    throw new UserError({
      title: "The endpoint of the bucket is not understood",
      cause: `${JSON.stringify(text.replace(/\/\/[^/@]*@/, "//***@"))} is no address of a server.`,
      remedy: "Give scheme, host and port, such as https://minio.example:9000, without keys.",
    });
  }
  return url;
}

/**
 * The address of an object, or of the bucket when `key` is empty, with every sign escaped as the
 * signature wants it.
 *
 * @throws {UserError} for a key with a part that is `.` or `..`: addresses resolve such, and another
 *   object would be meant.
 */
export function urlOf(
  { base, bucket, pathStyle }: Address,
  key: string,
  query: Readonly<Record<string, string>>,
): URL {
  if (/(^|\/)\.{1,2}(\/|$)/.test(key)) {
    throw new UserError({
      title: "An object cannot be addressed",
      cause: `The key ${JSON.stringify(key.slice(0, 300))} in ${bucket} has a part that is a point or two, which an address cannot have.`,
      remedy: "Give the object another key, or leave it out.",
    });
  }
  const url = new URL(base);
  const folder = base.pathname.replace(/\/+$/, "");
  const path = key.split("/").map(escaped).join("/");
  if (!pathStyle) url.hostname = `${bucket}.${base.hostname}`;
  url.pathname = pathStyle ? `${folder}/${bucket}/${path}` : `${folder}/${path}`;
  const pairs = Object.entries(query).map(([name, value]) => `${escaped(name)}=${escaped(value)}`);
  url.search = pairs.sort().join("&");
  return url;
}

/** Cloudflare's R2 takes parts of one size only. Source: R2, "Multipart objects", limitations. */
export function wantsEqualParts({ base }: Address): boolean {
  return base.hostname.endsWith(".r2.cloudflarestorage.com");
}
