const DENIED = /\b40[13]\b|denied|unauthorized|insufficient_scope|forbidden/i;

/** Whether a registry's words mean that the account may not do it. */
export function wasDenied(why: string): boolean {
  return DENIED.test(why);
}

// The first that fits counts: a registry that is full says so with a status of its own.
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [
    /immutable|cannot be overwritten|already exists/i,
    "The registry lets no tag be pushed twice: give another one in the input tags, such as the commit's sha.",
  ],
  [
    /\b507\b|insufficient storage|quota|no space left/i,
    "The registry has no room left: remove old images there, or raise its quota.",
  ],
  [
    DENIED,
    "Grant the account that scope. On ghcr.io the job needs `permissions: packages: write`, and the package must give this repository access.",
  ],
  [
    /\b429\b|too ?many ?requests/i,
    "The registry limits how often it is asked: wait and run again, the build is cached.",
  ],
  [
    /\b413\b|(?:entity|payload|content) too large/i,
    "A proxy before the registry takes no layer of that size: raise its limit, or make the layer smaller.",
  ],
  [
    /: 5\d\d\b/,
    "The fault is the registry's, which was asked again and again. Run again when it is well; the build is cached.",
  ],
  [
    /dial tcp|no such host|connection re(?:fused|set)|\bEOF\b|timeout|failed to do request|tls:|x509:/i,
    "Check that BuildKit can reach the registry from where it runs; then run again, the build is cached.",
  ],
];

/** What to do about a push that failed, by the words in which it did. */
export function pushRemedy(why: string): string {
  const [, remedy] = REMEDIES.find(([words]) => words.test(why)) ?? [];
  return (
    remedy ??
    "The registry was reached and refused it: look in its words and its log for what it does not take."
  );
}
