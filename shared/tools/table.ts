import { FAILSAFE_SCHEMA, load } from "js-yaml";
import { describe, FormatError, nearestName } from "../failure/index.ts";
import { parseVersion } from "../version/index.ts";

/** An operating system and a processor, as the table names them. */
export const PLATFORMS = ["linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64"] as const;
export type Platform = (typeof PLATFORMS)[number];

/** How the files of a tool are published for one platform. */
export interface Layout {
  /** Where a file is; `{version}` stands for the version. */
  readonly url: string;
  /** What the file is; left out when it is the program itself. */
  readonly archive?: "tar.gz" | "zip";
  /** Programs by name, with their paths in the archive. The first one is asked for its version. */
  readonly programs: Readonly<Record<string, string>>;
  /** The folder of the archive that is unpacked whole, for programs that need their libraries. */
  readonly folder?: string;
}

/** What is known of one version. */
export interface Row {
  /** Of the file as published, in hexadecimal, by platform. */
  readonly sha256: Readonly<Partial<Record<Platform, string>>>;
  /** URLs in place of the layout's, by platform. */
  readonly urls?: Readonly<Partial<Record<Platform, string>>>;
  /** Who states the same checksums. */
  readonly agreeing?: readonly string[];
  /** Whether the files were fetched and their checksums worked out when the row was made. */
  readonly downloaded?: boolean;
}

/** What is known of one tool. */
export interface ToolTable {
  readonly aliases?: readonly string[];
  /** Arguments with which the first program prints its version. */
  readonly proof: readonly string[];
  /** Name of the plugin of docker's that the first program is. */
  readonly dockerPlugin?: string;
  readonly platforms: Readonly<Partial<Record<Platform, Layout>>>;
  /** Where the publisher states checksums; `{url}` stands for the URL of a file. */
  readonly checksums?: { readonly url: string };
  /** Versions that must never be used, with the reason. */
  readonly refused?: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, Row>>;
}

/** Tools by name. */
export type Table = Readonly<Record<string, ToolTable>>;

/** A tool's part of a user's own table: what it leaves out is taken from ours. */
export type OwnTool = Partial<Omit<ToolTable, "aliases" | "checksums" | "refused">>;
export type OwnTable = Readonly<Record<string, OwnTool>>;

/**
 * Reads a table of the user's own, as YAML or JSON. A version may be told in short, as a mapping
 * from platform to checksum.
 *
 * @throws {FormatError} naming the first place that is not as it must be.
 */
export function parseOwnTable(text: string): OwnTable {
  let value: unknown;
  try {
    // YAML forbids tabs where JSON may have them. Without that schema 1.30 would be the number 1.3.
    value = /^\s*\{\s*"/.test(text) ? JSON.parse(text) : load(text, { schema: FAILSAFE_SCHEMA });
  } catch (error) {
    throw new FormatError(`it cannot be read: ${describe(error).split("\n")[0]}`);
  }
  return mapEntries(mapping(value, "the table"), (tool, name) => ownTool(tool, name));
}

const TOOL_KEYS = ["proof", "dockerPlugin", "platforms", "versions"];
const LAYOUT_KEYS = ["url", "archive", "programs", "folder"];
const ROW_KEYS = ["sha256", "urls", "agreeing", "downloaded"];
const SIMPLE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

function ownTool(value: unknown, name: string): OwnTool {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) {
    throw new FormatError(`${name}: a tool's name has lower-case letters, digits and hyphens`);
  }
  const tool = mapping(value, name, TOOL_KEYS);
  const { proof, dockerPlugin } = tool;
  return {
    ...(proof === undefined ? {} : { proof: texts(proof, `${name}.proof`) }),
    ...(dockerPlugin === undefined
      ? {}
      : { dockerPlugin: text(dockerPlugin, `${name}.dockerPlugin`, /^docker-[a-z0-9]+$/) }),
    ...(tool.platforms === undefined
      ? {}
      : {
          platforms: byPlatform(tool.platforms, `${name}.platforms`, layout),
        }),
    ...(tool.versions === undefined
      ? {}
      : { versions: mapEntries(mapping(tool.versions, `${name}.versions`), ownRow(name)) }),
  };
}

function layout(value: unknown, at: string): Layout {
  const given = mapping(value, at, LAYOUT_KEYS);
  const { archive, folder } = given;
  if (archive !== undefined && archive !== "tar.gz" && archive !== "zip") {
    throw new FormatError(`${at}.archive: it is none of tar.gz, zip; leave it out for a program`);
  }
  const programs = mapEntries(mapping(given.programs, `${at}.programs`), (path, program) => {
    if (!SIMPLE_NAME.test(program)) throw new FormatError(`${at}.programs: ${program} is no name`);
    return text(path, `${at}.programs.${program}`);
  });
  const count = Object.keys(programs).length;
  if (count === 0) throw new FormatError(`${at}.programs: it is empty`);
  if (archive === undefined && (count > 1 || folder !== undefined)) {
    throw new FormatError(`${at}: without an archive there is one program, and no folder`);
  }
  return {
    url: text(given.url, `${at}.url`, /^https?:\/\/\S+$/),
    programs,
    ...(archive === undefined ? {} : { archive }),
    ...(folder === undefined ? {} : { folder: text(folder, `${at}.folder`, /\/$/) }),
  };
}

function ownRow(tool: string): (value: unknown, version: string) => Row {
  return (value, version) => {
    const at = `${tool}.versions.${version}`;
    parseVersion(version);
    const given = mapping(value, at);
    const short = Object.keys(given).some((key) => PLATFORMS.some((platform) => platform === key));
    const row = short ? { sha256: given } : mapping(value, at, ROW_KEYS);
    const { urls } = row;
    return {
      sha256: byPlatform(row.sha256, `${at}.sha256`, checksum),
      ...(urls === undefined
        ? {}
        : {
            urls: byPlatform(urls, `${at}.urls`, (url, where) =>
              text(url, where, /^https?:\/\/\S+$/),
            ),
          }),
    };
  };
}

function checksum(value: unknown, at: string): string {
  const hex = typeof value === "string" ? value.replace(/^sha256:/i, "").toLowerCase() : "";
  if (!/^[0-9a-f]{64}$/.test(hex)) {
    throw new FormatError(`${at}: a SHA-256 checksum has 64 hexadecimal digits`);
  }
  return hex;
}

function byPlatform<T>(
  value: unknown,
  at: string,
  read: (value: unknown, at: string) => T,
): Partial<Record<Platform, T>> {
  return mapEntries(mapping(value, at, PLATFORMS), (one, platform) =>
    read(one, `${at}.${platform}`),
  );
}

function mapping(value: unknown, at: string, known?: readonly string[]): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new FormatError(`${at}: it must be a mapping`);
  }
  for (const key of Object.keys(value)) {
    if (known === undefined || known.includes(key)) continue;
    const near = nearestName(key, known);
    const hint = near === undefined ? `known are ${known.join(", ")}` : `did you mean ${near}?`;
    throw new FormatError(`${at}: there is no ${key} here; ${hint}`);
  }
  return value as Record<string, unknown>;
}

function mapEntries<A, B>(
  values: Readonly<Record<string, A>>,
  change: (value: A, name: string) => B,
): Record<string, B> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, change(value, name)]),
  );
}

function texts(value: unknown, at: string): readonly string[] {
  if (!Array.isArray(value)) throw new FormatError(`${at}: it must be a list of texts`);
  return value.map((one, index) => text(one, `${at}[${index}]`));
}

function text(value: unknown, at: string, form = /\S/): string {
  if (typeof value === "string" && form.test(value)) return value;
  throw new FormatError(
    value === undefined ? `${at}: it is missing` : `${at}: it has another form than ${form.source}`,
  );
}
