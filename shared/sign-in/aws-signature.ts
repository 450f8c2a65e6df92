import { createHash, createHmac } from "node:crypto";

/** Keys of an AWS account or role. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** A request to sign. Its path is as it is sent: what is not plain in it is escaped already. */
export interface Signable {
  readonly url: URL;
  readonly method: string;
  /** Names in small letters. All are signed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Instead of the body: its SHA-256 in hexadecimal digits, or what S3 takes in its place. */
  readonly bodyHash?: string | undefined;
  readonly region: string;
  /** As AWS's scope names it: `ecr`, `sts`, `s3`. */
  readonly service: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

/**
 * The headers that sign a request for AWS, beside those given.
 * Source: AWS, "Create a signed AWS API request" (Signature Version 4).
 */
export function signatureHeaders(request: Signable, keys: AwsKeys): Record<string, string> {
  const time = new Date(request.now).toISOString().replace(/[:-]|\.\d{3}/g, "");
  const day = time.slice(0, 8);
  const token =
    keys.sessionToken === undefined ? {} : { "x-amz-security-token": keys.sessionToken };
  const signed: Record<string, string> = {
    ...request.headers,
    host: request.url.host,
    "x-amz-date": time,
    ...token,
  };
  const names = Object.keys(signed).sort();
  const canonical = [
    request.method,
    request.url.pathname,
    canonicalQuery(request.url),
    ...names.map((name) => `${name}:${(signed[name] ?? "").trim().replace(/ +/g, " ")}`),
    "",
    names.join(";"),
    request.bodyHash ?? sha256(request.body),
  ].join("\n");
  const scope = `${day}/${request.region}/${request.service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const key = [day, request.region, request.service, "aws4_request"].reduce<Buffer>(
    (previous, part) => hmac(previous, part),
    Buffer.from(`AWS4${keys.secretAccessKey}`),
  );
  const signature = hmac(key, toSign).toString("hex");
  return {
    "x-amz-date": time,
    ...token,
    authorization: `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
  };
}

function canonicalQuery({ searchParams }: URL): string {
  const pairs = [...searchParams].map(([name, value]) => `${escaped(name)}=${escaped(value)}`);
  return pairs.sort().join("&");
}

/** Percent-encoding as RFC 3986 has it: encodeURIComponent leaves five signs more as they are. */
export function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
