/** What a restore into another server complains of, and what does no harm to what is restored. */
const HARMLESS = [
  /role "[^"]*" does not exist/,
  /schema "public" already exists/,
  /extension "plpgsql" already exists/,
  /language "plpgsql" already exists/,
  /unrecognized configuration parameter/,
  /must be (?:owner of|superuser|member of role)|must be able to SET ROLE/,
];

/** The complaints of pg_restore or psql after which something may be missing. Pure. */
export function seriousComplaints(text: string): readonly string[] {
  return text
    .split("\n")
    .filter((line) =>
      /\bERROR: |\bFATAL: |^pg_restore: error: (?!could not execute query)/.test(line),
    )
    .map((line) => line.replace(/^.*(?:ERROR|FATAL): +|^pg_restore: error: +/, ""))
    .filter((line) => !HARMLESS.some((words) => words.test(line)));
}
