import { nearestName, UserError } from "../failure/index.ts";
import {
  compareNumbers,
  compareVersions,
  parseVersion,
  type Range,
  satisfies,
  type Version,
} from "../version/index.ts";
import {
  type Layout,
  type OwnTable,
  type OwnTool,
  PLATFORMS,
  type Platform,
  type Table,
  type ToolTable,
} from "./table.ts";

/** One published file of a tool, and the checksum that it must have. */
export interface Release {
  readonly tool: string;
  readonly version: Version;
  readonly platform: Platform;
  readonly layout: Layout;
  /** The publisher's URL, without a mirror. */
  readonly url: URL;
  readonly sha256: string;
  /** Whose table the checksum is from. */
  readonly table: "built-in" | "own";
}

/** What is known of a tool, and how it is asked for its version. */
export interface Tool {
  readonly name: string;
  readonly proof: readonly string[];
  readonly dockerPlugin: string | undefined;
  readonly refused: Readonly<Record<string, string>>;
  /** The programs that it brings, by name; the first one is asked for its version. */
  readonly programs: readonly [string, ...string[]];
  /** Every release that the tables have, whatever the platform. */
  readonly releases: readonly Release[];
}

/**
 * Finds a tool by its name or another that it goes by, in the user's own table and the built-in one.
 *
 * @throws {UserError} when there is none of that name, or the user's own table tells too little.
 */
export function findTool(name: string, builtIn: Table, own: OwnTable): Tool {
  const key = nameOf(name, builtIn, own);
  const given = builtIn[key];
  const added = own[key];
  const proof = added?.proof ?? given?.proof;
  const programs = programsOf(added, given);
  if (proof === undefined || programs === undefined) throw tooLittle(key, proof === undefined);
  return {
    name: key,
    proof,
    programs,
    dockerPlugin: added?.dockerPlugin ?? given?.dockerPlugin,
    refused: given?.refused ?? {},
    releases: releasesOf(key, given, added),
  };
}

function nameOf(name: string, builtIn: Table, own: OwnTable): string {
  if (Object.hasOwn(own, name) || Object.hasOwn(builtIn, name)) return name;
  const aliased = Object.entries(builtIn).find(([, { aliases = [] }]) => aliases.includes(name));
  if (aliased !== undefined) return aliased[0];
  const known = [...new Set([...Object.keys(builtIn), ...Object.keys(own)])].sort();
  const near = nearestName(name, [
    ...known,
    ...Object.values(builtIn).flatMap(({ aliases = [] }) => aliases),
  ]);
  throw new UserError({
    title: `${name} is no tool that is known here`,
    cause: `No table has ${JSON.stringify(name)}. Known are ${known.join(", ")}.${near === undefined ? "" : ` Did you mean ${near}?`}`,
    remedy: "Correct the input tools, or describe the tool in a table of your own (input table).",
  });
}

function programsOf(
  added: OwnTool | undefined,
  given: ToolTable | undefined,
): readonly [string, ...string[]] | undefined {
  const layouts = Object.values(added?.platforms ?? given?.platforms ?? {});
  const [first, ...others] = Object.keys(layouts[0]?.programs ?? {});
  return first === undefined ? undefined : [first, ...others];
}

function tooLittle(tool: string, proof: boolean): UserError {
  const what = proof
    ? "`proof`, the arguments with which it prints its version"
    : "`platforms`, where its files are and what is in them";
  return new UserError({
    title: `The table tells too little of ${tool}`,
    cause: `${tool} is not in the built-in table, and yours leaves out ${what}.`,
    remedy: "Add it to the input table; docs/tools.md shows a whole entry.",
  });
}

/** A version of the user's own table takes the place of the same one in ours. */
function releasesOf(
  tool: string,
  given: ToolTable | undefined,
  added: OwnTool | undefined,
): readonly Release[] {
  const ours = rows(tool, given?.platforms, given, "built-in");
  const theirs = rows(tool, added?.platforms ?? given?.platforms, added, "own");
  const same = (a: Release, b: Release) =>
    a.platform === b.platform && a.version.text === b.version.text;
  return [...ours.filter((one) => !theirs.some((other) => same(one, other))), ...theirs];
}

function rows(
  tool: string,
  platforms: ToolTable["platforms"] | undefined,
  table: Pick<OwnTool, "versions"> | undefined,
  from: Release["table"],
): Release[] {
  return Object.entries(table?.versions ?? {}).flatMap(([text, row]) => {
    const version = parseVersion(text);
    return PLATFORMS.flatMap((platform) => {
      const layout = platforms?.[platform];
      const sha256 = row.sha256[platform];
      if (layout === undefined || sha256 === undefined) return [];
      const url = new URL(
        (row.urls?.[platform] ?? layout.url).replaceAll("{version}", version.text),
      );
      return [{ tool, version, platform, layout, url, sha256, table: from }];
    });
  });
}

/** The platform of a machine in the table's words; undefined when no table knows it. */
export function platformOf(system: string, processor: string): Platform | undefined {
  const name = `${system}-${processor === "x64" ? "amd64" : processor}`;
  return PLATFORMS.find((platform) => platform === name);
}

/** The newest release of a platform within a range; undefined when there is none. */
export function newest(
  tool: Tool,
  range: Range,
  platform: Platform | undefined,
): Release | undefined {
  return tool.releases
    .filter((release) => release.platform === platform)
    .filter(({ version }) => satisfies(range, version) && tool.refused[version.text] === undefined)
    .sort((a, b) => compareVersions(b.version, a.version))[0];
}

/** Why no release of a tool will do, with what there is instead. */
export function noRelease(
  tool: Tool,
  range: Range,
  machine: { readonly platform: Platform | undefined; readonly name: string },
): UserError {
  const { name } = tool;
  const here = tool.releases.filter(({ platform }) => platform === machine.platform);
  const asked = range.latest ? name : `${name} ${range.text}`;
  if (here.length === 0) return noPlatform(tool, asked, machine.name);
  const refused = Object.entries(tool.refused).find(([text]) =>
    satisfies(range, parseVersion(text)),
  );
  const versions = ordered(here);
  const listed = versions.map(({ text }) => text).join(", ");
  if (refused !== undefined && !range.latest) {
    return new UserError({
      title: `${asked} is refused`,
      cause: `${name} ${refused[0]} must not be used: ${refused[1]}. The table has ${listed}.`,
      remedy: "Ask for another version.",
    });
  }
  const elsewhere = tool.releases.filter(({ version }) => satisfies(range, version));
  const where = [...new Set(elsewhere.map(({ platform }) => platform))];
  const near = nearest(range, versions);
  const only = where.length === 0 ? "" : ` ${asked} is there for ${where.join(", ")} only.`;
  return new UserError({
    title: `${asked} is not in the table`,
    cause: `For ${machine.name} the table has ${name} ${listed}${near === undefined ? "" : `; the nearest is ${near.text}`}.${only} No other version is taken in its place.`,
    remedy: `Ask for a version that is there, add yours with its SHA-256 checksum by the input table, or extend the built-in table: npm run extend-tools -- ${name} VERSION.`,
  });
}

function noPlatform(tool: Tool, asked: string, machine: string): UserError {
  const there = [...new Set(tool.releases.map(({ platform }) => platform))].sort();
  const has =
    there.length === 0
      ? `The tables have no release of ${tool.name} at all.`
      : `The table has ${tool.name} for ${there.join(", ")}, and none for ${machine}.`;
  return new UserError({
    title: `${asked} is not there for ${machine}`,
    cause: has,
    remedy:
      "Run on a runner of another kind, put the tool on the runner's PATH, or add its files by the input table.",
  });
}

function ordered(releases: readonly Release[]): readonly Version[] {
  return releases.map(({ version }) => version).sort(compareVersions);
}

/** The version closest to the first number of a range: the newest below it, else the oldest. */
function nearest(range: Range, versions: readonly Version[]): Version | undefined {
  const [first] = range.alternatives[0] ?? [];
  if (first === undefined) return undefined;
  const numbers = "exactly" in first ? first.exactly.numbers : first.from;
  const below = versions.filter((version) => compareNumbers(version.numbers, numbers) <= 0);
  const above = versions.filter((version) => compareNumbers(version.numbers, numbers) > 0);
  const sameMajor = above.find((version) => version.numbers[0] === numbers[0]);
  const last = below.at(-1);
  return last?.numbers[0] === numbers[0] ? last : (sameMajor ?? last ?? above[0]);
}
