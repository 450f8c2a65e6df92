import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./action-manifest.ts";

/**
 * Adds a version to the table of tools: fetches the publisher's list of checksums and the files
 * themselves, works their checksums out, and writes the row only where both agree.
 *
 *     npm run extend-tools -- kubectl 1.37.2
 */

interface Row {
  readonly sha256: Record<string, string>;
  readonly agreeing: readonly string[];
  readonly downloaded: true;
}

interface Tool {
  readonly platforms: Readonly<Record<string, { readonly url: string }>>;
  readonly checksums?: { readonly url: string };
  readonly refused?: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, Row>>;
}

/** Fetches bytes, from a mirror where there is one; it takes the place of scheme and host. */
async function fetched(url: string, mirror: string | undefined): Promise<Buffer> {
  const { pathname, search } = new URL(url);
  const from = mirror === undefined ? url : `${mirror.replace(/\/$/, "")}${pathname}${search}`;
  const response = await fetch(from).catch((error: Error) => {
    throw new Error(`${from} cannot be reached: ${error.cause ?? error.message}`);
  });
  if (!response.ok) throw new Error(`${from} answered with status ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

/** The checksum that a list states for a file: `HEX  name` a line, or the bare checksum. */
export function statedFor(list: string, file: string): string | undefined {
  const lines = list.split("\n").map((line) => line.trim().split(/\s+\*?/));
  const named = lines.find(([, name]) => name?.replace(/^.*\//, "") === file);
  const [only] = lines.filter(([hex]) => hex !== "");
  const bare = lines.filter(([hex]) => hex !== "").length === 1 && only?.length === 1;
  const hex = named?.[0] ?? (bare ? only?.[0] : undefined);
  return /^[0-9a-f]{64}$/i.test(hex ?? "") ? hex?.toLowerCase() : undefined;
}

async function rowOf(tool: Tool, version: string, mirror: string | undefined): Promise<Row> {
  const sha256: Record<string, string> = {};
  for (const [platform, layout] of Object.entries(tool.platforms)) {
    const url = layout.url.replaceAll("{version}", version);
    const list = tool.checksums?.url.replaceAll("{url}", url).replaceAll("{version}", version);
    if (list === undefined)
      throw new Error("its publisher states no checksums; add the row by hand");
    const file = decodeURIComponent(new URL(url).pathname.split("/").at(-1) ?? "");
    const stated = statedFor((await fetched(list, mirror)).toString("utf8"), file);
    if (stated === undefined) throw new Error(`${list} states no SHA-256 checksum of ${file}`);
    const worked = createHash("sha256")
      .update(await fetched(url, mirror))
      .digest("hex");
    if (worked !== stated)
      throw new Error(`${file} has ${worked}, and its publisher states ${stated}`);
    console.log(`${platform}: ${stated}`);
    sha256[platform] = stated;
  }
  return { sha256, agreeing: ["the publisher's list of checksums"], downloaded: true };
}

/** By number, as people order versions. */
function ordered<T>(versions: Readonly<Record<string, T>>): Record<string, T> {
  const order = new Intl.Collator("en", { numeric: true });
  return Object.fromEntries(Object.entries(versions).sort(([a], [b]) => order.compare(a, b)));
}

async function extend(name: string, version: string, options: { mirror?: string; table?: string }) {
  const folder = options.table ?? join(root, "shared", "tools", "table");
  const file = join(folder, `${name}.json`);
  const tool: Tool = JSON.parse(await readFile(file, "utf8"));
  const refused = tool.refused?.[version];
  if (refused !== undefined) throw new Error(`${name} ${version} is refused: ${refused}`);
  if (version in tool.versions) throw new Error(`${name} ${version} is in the table already`);
  const row = await rowOf(tool, version, options.mirror);
  const extended = { ...tool, versions: ordered({ ...tool.versions, [version]: row }) };
  await writeFile(file, `${JSON.stringify(extended, null, 2)}\n`);
  console.log(`${file}: ${name} ${version} is added. Run \`npm run format\`, and commit it.`);
}

if (import.meta.main) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { mirror: { type: "string" }, table: { type: "string" } },
  });
  const [name, version] = positionals;
  if (name === undefined || !/^\d+(\.\d+)+$/.test(version ?? "")) {
    console.error("npm run extend-tools -- TOOL VERSION [--mirror URL]");
    process.exitCode = 2;
  } else {
    await extend(name, version ?? "", values).catch((error: Error) => {
      console.error(`${name} ${version} is not added: ${error.message}`);
      process.exitCode = 1;
    });
  }
}
