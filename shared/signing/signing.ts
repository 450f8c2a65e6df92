import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../failure/index.ts";
import { CommandFailed } from "../process/index.ts";
import { Cosign, type SigningExecution } from "./cosign.ts";
import { type Identity, identityIn } from "./identity.ts";
import { signingFailure } from "./signing-failure.ts";
import { type KeySettings, openKey } from "./signing-key.ts";

export interface SigningSettings {
  /** The job's own identity when left out. */
  readonly key?: KeySettings | undefined;
  /** Whether signatures are entered in Sigstore's public log, and looked up there. */
  readonly log: boolean;
  /** Gives a token of the job's identity; needed without a key. */
  readonly identityToken?: (() => Promise<string>) | undefined;
}

/** A signature that was verified. */
export interface VerifiedSignature {
  /** Whether this run made it. */
  readonly made: boolean;
  /** What was verified, completing "signature verified ...". */
  readonly how: string;
}

/** No signature of ours at an image, as cosign says it. */
const NONE = new Set([10, 12]);
const NO_MATCH = /no (?:matching )?(?:signatures|attestations)/i;

/** A private folder's name of what tells cosign to use no public service. */
const NO_SERVICES = {
  config: {
    mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    rekorTlogConfig: {},
    tsaConfig: {},
  },
  root: { mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1" },
};

/** Signs images by their digests and verifies the signatures, by key or by the job's identity. */
export class Signing {
  readonly #cosign: Cosign;
  readonly #execution: SigningExecution;
  readonly #signArguments: readonly string[];
  readonly #verifyArguments: readonly string[];
  readonly #how: string;
  readonly #token: (() => Promise<string>) | undefined;

  private constructor(
    cosign: Cosign,
    execution: SigningExecution,
    how: string,
    forSigning: readonly string[],
    forVerifying: readonly string[],
    token?: () => Promise<string>,
  ) {
    this.#cosign = cosign;
    this.#execution = execution;
    this.#how = how;
    this.#signArguments = forSigning;
    this.#verifyArguments = forVerifying;
    this.#token = token;
  }

  /**
   * Makes all ready that signing takes, so that what is wrong with it shows before it is needed.
   *
   * @throws {UserError} when cosign is not there, the key cannot be used, or the job may not prove
   * its identity.
   */
  static async open(settings: SigningSettings, execution: SigningExecution): Promise<Signing> {
    const { key, log, identityToken } = settings;
    if (key !== undefined) return await Signing.#withKey(key, log, execution);
    if (identityToken === undefined) throw new Error("neither a key nor an identity to sign with");
    const identity = identityIn(await identityToken());
    const cosign = new Cosign(execution, {});
    // Whoever has no cosign learns it now.
    await cosign.takesSigningConfig();
    const how = `as made by ${identity.subject} (${identity.issuer}), in Sigstore's public log`;
    return new Signing(cosign, execution, how, [], verifyingIdentity(identity), identityToken);
  }

  static async #withKey(
    key: KeySettings,
    log: boolean,
    execution: SigningExecution,
  ): Promise<Signing> {
    const { cosign, reference, publicFile } = await openKey(key, execution);
    const services = log ? [] : await noServices(cosign, execution.folder);
    const how = log
      ? "against the public key, and in Sigstore's public log"
      : "against the public key; no public log was asked";
    const verifying = ["--key", publicFile, ...(log ? [] : ["--insecure-ignore-tlog=true"])];
    return new Signing(cosign, execution, how, ["--key", reference, ...services], verifying);
  }

  /**
   * Sees to it that an image has a signature of ours: one that is there is verified; where there is
   * none, one is made and then verified.
   *
   * @param image repository@digest
   * @throws {UserError} when it cannot be made or verified.
   */
  async ensure(image: string, signal: AbortSignal): Promise<VerifiedSignature> {
    if (await this.#isSigned(image, signal)) return { made: false, how: this.#how };
    await this.#sign(image, signal);
    if (!(await this.#isSigned(image, signal))) throw notShown(image);
    return { made: true, how: this.#how };
  }

  async #sign(image: string, signal: AbortSignal): Promise<void> {
    const token = await this.#tokenArguments();
    try {
      await this.#cosign.run(["sign", "--yes", ...this.#signArguments, ...token, image], signal);
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      signal.throwIfAborted();
      throw signingFailure("sign", image, error);
    }
  }

  /** Tokens last minutes: each signature gets its own, in a file, since arguments can be seen. */
  async #tokenArguments(): Promise<readonly string[]> {
    if (this.#token === undefined) return [];
    const file = join(this.#execution.folder, `identity-${randomUUID()}`);
    await writeFile(file, await this.#token(), { mode: 0o600 });
    return ["--identity-token", file];
  }

  async #isSigned(image: string, signal: AbortSignal): Promise<boolean> {
    try {
      const { stdout } = await this.#cosign.run(
        ["verify", "--output", "json", ...this.#verifyArguments, image],
        signal,
      );
      return isAbout(image, stdout);
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      signal.throwIfAborted();
      const none = NONE.has(error.exitCode ?? 0) || NO_MATCH.test(error.stderrTail);
      if (none) return false;
      throw signingFailure("verify", image, error);
    }
  }
}

/** What tells cosign to leave Sigstore's public services alone. */
async function noServices(cosign: Cosign, folder: string): Promise<readonly string[]> {
  if (!(await cosign.takesSigningConfig())) return ["--tlog-upload=false"];
  const config = join(folder, "signing-config.json");
  const root = join(folder, "trusted-root.json");
  await writeFile(config, JSON.stringify(NO_SERVICES.config));
  await writeFile(root, JSON.stringify(NO_SERVICES.root));
  return ["--signing-config", config, "--trusted-root", root];
}

/** Any run of the same workflow counts: the same image may have been signed by an earlier one. */
function verifyingIdentity({ issuer, workflow }: Identity): readonly string[] {
  const pattern = `^${RegExp.escape(workflow)}@`;
  return ["--certificate-oidc-issuer", issuer, "--certificate-identity-regexp", pattern];
}

/** Whether what was verified is about this very image: a signature speaks of one digest. */
function isAbout(image: string, stdout: string): boolean {
  const digest = image.split("@")[1];
  try {
    const payloads = JSON.parse(stdout.trim()) as {
      critical?: { image?: { "docker-manifest-digest"?: string } };
    }[];
    return payloads.some((each) => each.critical?.image?.["docker-manifest-digest"] === digest);
  } catch {
    return false;
  }
}

function notShown(image: string): UserError {
  return new UserError({
    title: "The registry does not show the signature",
    cause: `${image}: cosign signed it, and finds no signature at the registry that it can verify.`,
    remedy:
      "Look for another job that signs the same image at the same time, or a clean-up that removes `sha256-...` tags; then run again.",
  });
}
