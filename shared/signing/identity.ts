import { UserError } from "../failure/index.ts";

/** Who a job is, as a certificate of Sigstore's names it. */
export interface Identity {
  readonly issuer: string;
  /** The workflow's address with the ref that it ran at. */
  readonly subject: string;
  /** ... without the ref. */
  readonly workflow: string;
}

/**
 * Reads from a job's token what Sigstore will write into the certificate: the workflow that the job
 * stands in, which is the called one where a workflow is called.
 * Source: Fulcio, "OIDC usage", GitHub Actions: `https://github.com/` + job_workflow_ref.
 *
 * @throws {UserError} when the token is none of GitHub's.
 */
export function identityIn(token: string): Identity {
  const { iss: issuer, job_workflow_ref: reference } = claimsOf(token);
  if (typeof issuer !== "string" || typeof reference !== "string") {
    throw new UserError({
      title: "The token of the job's identity is not as it should be",
      cause: "It does not say by whom it was issued and which workflow the job is part of.",
      remedy: "Sign with a key instead: give the input cosign-key.",
    });
  }
  // On a GitHub of one's own the issuer is that host's.
  const host = /^https:\/\/token\.actions\.githubusercontent\.com/.test(issuer)
    ? "https://github.com"
    : new URL(issuer).origin;
  const subject = `${host}/${reference}`;
  return { issuer, subject, workflow: subject.split("@")[0] ?? subject };
}

function claimsOf(token: string): Readonly<Record<string, unknown>> {
  try {
    const claims = Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8");
    const value: unknown = JSON.parse(claims);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
