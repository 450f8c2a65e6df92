import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { describe } from "../failure/index.ts";

type Content = ReadonlyMap<string, Buffer>;

const TLS = "kubernetes.io/tls";
export const DOCKER_CONFIG = "kubernetes.io/dockerconfigjson";
export const DOCKER_CONFIG_KEY = ".dockerconfigjson";

/**
 * What is wrong with the content of a Secret of a type that has rules: those of the API server, and
 * for a certificate also that it can be used with its key.
 */
export function typeProblems(type: string | undefined, content: Content): readonly string[] {
  switch (type) {
    case TLS:
      return tlsProblems(content);
    case DOCKER_CONFIG:
      return dockerProblems(content);
    case "kubernetes.io/basic-auth":
      return content.has("username") || content.has("password")
        ? []
        : ["a Secret of this type needs the key username or password"];
    case "kubernetes.io/ssh-auth":
      return content.has("ssh-privatekey")
        ? []
        : ["a Secret of this type needs the key ssh-privatekey"];
    default:
      return [];
  }
}

function tlsProblems(content: Content): readonly string[] {
  const missing = ["tls.crt", "tls.key"].filter((key) => !content.has(key));
  if (missing.length > 0) {
    return [
      `a Secret for TLS needs the keys tls.crt and tls.key; ${missing.join(" and ")} is missing`,
    ];
  }
  try {
    const certificate = reading("tls.crt", () => new X509Certificate(content.get("tls.crt") ?? ""));
    const key = reading("tls.key", () => createPrivateKey(content.get("tls.key") ?? ""));
    if (certificate.checkPrivateKey(key)) return [];
    const words = { type: "spki", format: "der" } as const;
    const same = createPublicKey(key).export(words).equals(certificate.publicKey.export(words));
    return same ? [] : ["the certificate in tls.crt does not belong to the key in tls.key"];
  } catch (error) {
    if (error instanceof Unreadable) return [error.message];
    throw error;
  }
}

class Unreadable extends Error {}

function reading<T>(key: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const form =
      key === "tls.crt" ? "a certificate in PEM" : "a private key in PEM without a passphrase";
    throw new Unreadable(`${key} is not ${form}: ${describe(error)}`);
  }
}

/** What a reader should know of a certificate: that it is over, or nearly. */
export function certificateNote(
  { type, content }: { readonly type: string | undefined; readonly content: Content },
  now: number,
): readonly string[] {
  const pem = content.get("tls.crt");
  if (type !== TLS || pem === undefined) return [];
  const { validTo, subject } = new X509Certificate(pem);
  const days = Math.floor((Date.parse(validTo) - now) / 86_400_000);
  const whose = subject?.split("\n").at(-1) ?? "without a subject";
  if (days < 0) return [`the certificate ${whose} expired on ${validTo}`];
  return days < 14 ? [`the certificate ${whose} expires in ${days} days, on ${validTo}`] : [];
}

function dockerProblems(content: Content): readonly string[] {
  const config = content.get(DOCKER_CONFIG_KEY);
  if (config === undefined) {
    return [
      `a Secret for a registry needs server, username and password-env, or a file as \`files: ${DOCKER_CONFIG_KEY}=path\``,
    ];
  }
  try {
    const read: unknown = JSON.parse(config.toString("utf8"));
    const auths =
      typeof read === "object" && read !== null ? Reflect.get(read, "auths") : undefined;
    return typeof auths === "object" && auths !== null
      ? []
      : [`${DOCKER_CONFIG_KEY} has no \`auths\`: docker keeps the password elsewhere (credsStore)`];
  } catch {
    // The words of the parser quote what it read.
    return [`${DOCKER_CONFIG_KEY} is no JSON`];
  }
}

/** A docker configuration that signs in to one registry, as kubectl writes it. */
export function dockerConfig(login: {
  readonly server: string;
  readonly username: string;
  readonly password: string;
  readonly email: string | undefined;
}): Buffer {
  const { server, username, password, email } = login;
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  const entry = { username, password, ...(email === undefined ? {} : { email }), auth };
  return Buffer.from(JSON.stringify({ auths: { [server]: entry } }));
}
