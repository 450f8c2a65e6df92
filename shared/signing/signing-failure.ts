import { UserError } from "../failure/index.ts";
import type { CommandFailed } from "../process/index.ts";

/** What cosign was at, for messages. */
export type SigningTask = "key" | "sign" | "verify";

const TITLES: Readonly<Record<SigningTask, string>> = {
  key: "The key to sign with cannot be used",
  sign: "The image could not be signed",
  verify: "The signature could not be verified",
};

interface Advice {
  readonly words: RegExp;
  readonly cause?: string;
  readonly remedy: string;
}

// The first that fits counts.
const ADVICE: readonly Advice[] = [
  {
    words: /decryption failed/i,
    cause: "the password does not open the key",
    remedy: "Check the input cosign-password: it must be that of cosign-key.",
  },
  {
    words: /unsupported pem type|invalid pem|failed to decode pem/i,
    cause: "the key is none that cosign can read",
    remedy:
      "Give in cosign-key a private key as `cosign generate-key-pair` makes it, whole, with its first and last line.",
  },
  {
    words: /no such file or directory/i,
    remedy:
      "Check the input cosign-key: it is a private key itself, the path of one, or the address of one in a KMS.",
  },
  {
    words: /\b401\b|\b403\b|UNAUTHORIZED|DENIED|insufficient_scope/i,
    remedy:
      "The account may not push to the repository, where signatures are kept: grant it that. On ghcr.io the job needs `permissions: packages: write`.",
  },
  {
    words: /tuf|fulcio|rekor|timestamp\.sigstore|sigstore\.dev/i,
    remedy:
      "Sigstore's services must be reachable from this runner: tuf-repo-cdn.sigstore.dev, fulcio.sigstore.dev and rekor.sigstore.dev. Where they never are, sign with a key and `tlog-upload: false`.",
  },
  {
    words: /kms|vault/i,
    remedy:
      "Check the address in cosign-key, and that this job may use the key: the cloud's own credentials are taken from the environment.",
  },
];

/** What a failed cosign means to a user. */
export function signingFailure(task: SigningTask, image: string, failed: CommandFailed): UserError {
  const words = wordsOf(failed);
  const advice = ADVICE.find(({ words: pattern }) => pattern.test(words));
  const why = advice?.cause ?? (words || failed.message);
  const about = image === "" ? "" : `${image}: `;
  return new UserError(
    {
      title: TITLES[task],
      cause: `${about}${why}.`,
      remedy: advice?.remedy ?? "Look at what cosign says, and run again.",
      evidence: failed.stderrTail,
    },
    { reason: failed },
  );
}

/** cosign's last error, which it prints twice. */
function wordsOf({ stderrTail, why, message }: CommandFailed): string {
  if (why !== "exit") return message;
  const lines = stderrTail.split("\n").filter((line) => /^Error: /.test(line));
  return (lines.at(-1) ?? "")
    .replace(/^Error: /, "")
    .replace(/\.$/, "")
    .trim();
}
