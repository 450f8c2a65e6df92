/**
 * The recipients, `age1...`, of the identities in a text: what is encrypted to them, the same
 * identities open.
 *
 * @param identities as age-keygen writes them, comments and all.
 */
export async function recipientsOf(identities: string): Promise<readonly string[]> {
  const { identityToRecipient } = await import("age-encryption");
  const found = identities.match(/AGE-SECRET-KEY-[0-9A-Z-]+/g) ?? [];
  return await Promise.all(found.map((identity) => identityToRecipient(identity)));
}
