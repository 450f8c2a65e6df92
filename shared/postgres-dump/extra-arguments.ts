import { UserError } from "../failure/index.ts";

/** Change how the dump is written, and nothing of what it holds. */
const SAFE = new Set([
  "-v",
  "--verbose",
  "--inserts",
  "--column-inserts",
  "--attribute-inserts",
  "--rows-per-insert",
  "--disable-dollar-quoting",
  "--quote-all-identifiers",
  "--load-via-partition-root",
  "--no-tablespaces",
  "--no-table-access-method",
  "--no-toast-compression",
  "--statistics",
  "--no-statistics",
]);
const WITH_VALUE = new Set(["--rows-per-insert"]);

const LESS = "it leaves out what the fingerprint holds, so that the backup could not be proven";
const INPUT = "an input of the action says this";
const RESTORE = "it belongs to restoring, and can be chosen there";
const PROOF = "the proof rests on it: the action sets it itself";

/** Why others are refused, for those that people try. */
const REFUSED: Readonly<Record<string, string>> = {
  ...of(LESS, [
    "-a --data-only -s --schema-only --section --no-comments --no-publications --no-subscriptions",
    "--no-security-labels --no-policies --no-unlogged-table-data --no-data --no-schema",
    "--statistics-only -B --no-blobs --no-large-objects --exclude-extension --extension -e",
    "--extra-float-digits --on-conflict-do-nothing --exclude-table-and-children",
    "--exclude-table-data-and-children --table-and-children --sequence-data",
  ]),
  ...of(INPUT, [
    "-F --format -j --jobs -n --schema -N --exclude-schema -t --table -T --exclude-table",
    "--exclude-table-data --lock-wait-timeout -d --dbname -h --host -p --port -U --username",
    "-W --password -w --no-password --filter",
  ]),
  ...of(RESTORE, [
    "-c --clean -C --create --if-exists -O --no-owner -x --no-privileges --no-acl",
    "--disable-triggers --use-set-session-authorization -S --superuser",
  ]),
  ...of(PROOF, [
    "--snapshot --no-synchronized-snapshots --serializable-deferrable --no-sync --sync-method",
    "--strict-names --enable-row-security -Z --compress -f --file -E --encoding --restrict-key",
    "--include-foreign-data -b --blobs --large-objects --binary-upgrade",
  ]),
  "--role": "set the role for all connections by the URL: ?options=-c%20role%3Dname",
};

function of(reason: string, lists: readonly string[]): Record<string, string> {
  return Object.fromEntries(lists.flatMap((list) => list.split(" ").map((name) => [name, reason])));
}

/**
 * The further arguments, if each of them leaves the dump as complete as its fingerprint.
 *
 * @throws {UserError} that names every one that does not, and why.
 */
export function safeArguments(given: readonly string[]): readonly string[] {
  const problems: string[] = [];
  let awaited: string | undefined;
  for (const word of given) {
    if (awaited !== undefined) {
      awaited = undefined;
      continue;
    }
    const [name = "", value] = word.split("=", 2);
    if (SAFE.has(name)) {
      if (WITH_VALUE.has(name) && value === undefined) awaited = name;
      continue;
    }
    problems.push(`${name}: ${reasonFor(name)}`);
  }
  if (awaited !== undefined) problems.push(`${awaited}: its value is missing`);
  if (problems.length === 0) return given;
  throw new UserError({
    title: "Arguments that cannot be given to pg_dump",
    cause: `${problems.length === 1 ? "One argument" : `${problems.length} arguments`} for pg_dump cannot be taken: ${problems.join("; ")}.`,
    remedy: `Leave them out. These can be given: ${[...SAFE].filter((name) => name.startsWith("--")).join(", ")}.`,
  });
}

function reasonFor(word: string): string {
  const known = REFUSED[word];
  if (known !== undefined) return known;
  // Short options may be joined with their values or with one another.
  const short = /^-[A-Za-z]/.test(word) ? REFUSED[word.slice(0, 2)] : undefined;
  if (short !== undefined) return short;
  const long = Object.keys(REFUSED).find((name) => word.length > 3 && name.startsWith(word));
  if (long !== undefined) return REFUSED[long] ?? "";
  return word.startsWith("-")
    ? "it is not known to leave the proof whole"
    : "it is no option, and the database is named by the connection";
}
