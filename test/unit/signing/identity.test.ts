import { describe, expect, it } from "@jest/globals";
import { CommandFailed } from "../../../shared/process/index.ts";
import { identityIn } from "../../../shared/signing/identity.ts";
import { signingFailure } from "../../../shared/signing/signing-failure.ts";

const tokenOf = (claims: unknown) =>
  ["e30", Buffer.from(JSON.stringify(claims)).toString("base64url"), "x"].join(".");

describe("the identity of a job", () => {
  it("is the workflow that it stands in, as a certificate names it", () => {
    const token = tokenOf({
      iss: "https://token.actions.githubusercontent.com",
      sub: "repo:o/app:ref:refs/heads/main",
      workflow_ref: "o/app/.github/workflows/ci.yml@refs/heads/main",
      job_workflow_ref: "o/flows/.github/workflows/deploy.yml@refs/tags/v1",
    });
    expect(identityIn(token)).toEqual({
      issuer: "https://token.actions.githubusercontent.com",
      subject: "https://github.com/o/flows/.github/workflows/deploy.yml@refs/tags/v1",
      workflow: "https://github.com/o/flows/.github/workflows/deploy.yml",
    });
  });

  it("is on a GitHub of one's own that host's", () => {
    const token = tokenOf({
      iss: "https://github.example.com/_services/token",
      job_workflow_ref: "o/a/.github/workflows/x.yml@refs/heads/main",
    });
    expect(identityIn(token).workflow).toBe(
      "https://github.example.com/o/a/.github/workflows/x.yml",
    );
  });

  it.each(["", "x", "a.b.c", tokenOf(null), tokenOf({ iss: "https://x" })])(
    "is not in %j",
    (token) => {
      expect(() => identityIn(token)).toThrow(/does not say by whom it was issued/);
    },
  );
});

describe("a failed cosign", () => {
  const failed = (stderrTail: string) =>
    new CommandFailed({
      message: "cosign ended with exit status 1",
      commandLine: "cosign sign",
      why: "exit",
      exitCode: 1,
      stderrTail,
      milliseconds: 1,
    });

  it.each([
    [
      "Error: decrypt: encrypted: decryption failed",
      /the password does not open the key/,
      /cosign-password/,
    ],
    ["Error: unsupported pem type: X", /none that cosign can read/, /cosign-key/],
    ["Error: open x.key: no such file or directory", /open x\.key: no such file/, /cosign-key/],
    [
      "WARNING: x\nError: PUT https://ghcr.io/v2/a: DENIED: permission_denied",
      /^a@sha256:1: PUT https.*DENIED/,
      /packages: write/,
    ],
    [
      'Error: getting trusted root: Get "https://tuf-repo-cdn.sigstore.dev/15.root.json": no such host',
      /no such host/,
      /Sigstore's services must be reachable/,
    ],
    ["", /cosign ended with exit status 1/, /run again/],
  ])("that says %j is told", (words, cause, remedy) => {
    expect(signingFailure("sign", "a@sha256:1", failed(words))).toMatchObject({
      cause: expect.stringMatching(cause),
      remedy: expect.stringMatching(remedy),
    });
  });
});
