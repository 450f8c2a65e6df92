import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";

type Claims = Readonly<Record<string, unknown>>;

/** Somebody who signs tokens (JWT, RS256), and can tell whether a token is his. */
export class Identity {
  readonly issuer: string;
  /** PEM, as a service account's key file holds it. */
  readonly privateKey: string;
  readonly #publicKey: KeyObject;

  constructor(issuer: string) {
    this.issuer = issuer;
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    this.privateKey = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    this.#publicKey = createPublicKey(privateKey);
  }

  issue(audience: string, subject: string): string {
    const now = Math.floor(Date.now() / 1_000);
    const head = { alg: "RS256", typ: "JWT" };
    const claims = { iss: this.issuer, aud: audience, sub: subject, iat: now, exp: now + 300 };
    const text = [head, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    return `${text}.${sign("sha256", Buffer.from(text), this.privateKey).toString("base64url")}`;
  }

  /** The claims of a token; undefined when it is not signed by this one or has run out. */
  claimsOf(token: string): Claims | undefined {
    const [head = "", body = "", signature = ""] = token.split(".");
    const good = verify(
      "sha256",
      Buffer.from(`${head}.${body}`),
      this.#publicKey,
      Buffer.from(signature, "base64url"),
    );
    if (!good) return undefined;
    const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as Claims;
    return Number(claims.exp) * 1_000 > Date.now() ? claims : undefined;
  }
}
