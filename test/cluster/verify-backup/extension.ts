import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const CONTROL = `comment = 'spatial reference systems, as PostGIS has them'
default_version = '1.0'
relocatable = true
`;
const SCRIPT = `
CREATE TABLE systems (srid int PRIMARY KEY, name text);
INSERT INTO systems SELECT i, 'known to all ' || i FROM generate_series(1, 50) i;
SELECT pg_catalog.pg_extension_config_dump('systems', 'WHERE srid > 50');
CREATE TABLE jobs (id serial PRIMARY KEY, what text);
SELECT pg_catalog.pg_extension_config_dump('jobs', '');
SELECT pg_catalog.pg_extension_config_dump('jobs_id_seq', '');
`;

/** The programs of a PostgreSQL with an extension of the test's own, whose tables users write into. */
export class ProgramsWithExtension implements Disposable {
  readonly #folder: string;
  /** The folder with postgres. */
  readonly bin: string;

  /** @param bin of the bed: `…/usr/lib/postgresql/17/bin`. */
  constructor(bin: string) {
    const [, root = "", major = ""] = /^(.*)\/usr\/lib\/postgresql\/(\d+)\/bin$/.exec(bin) ?? [];
    // Beside it, where files can be linked: a server looks for its extensions from where it is itself.
    this.#folder = mkdtempSync(join(dirname(root), "extended-"));
    const copy = join(this.#folder, "system");
    const { status, stderr } = spawnSync("cp", ["-al", root, copy], { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    spawnSync("chmod", ["755", this.#folder]);
    this.bin = join(copy, "usr/lib/postgresql", major, "bin");
    const extensions = join(copy, "usr/share/postgresql", major, "extension");
    mkdirSync(extensions, { recursive: true });
    if (readdirSync(extensions).length === 0) throw new Error(`no extensions in ${extensions}`);
    writeFileSync(join(extensions, "places.control"), CONTROL);
    writeFileSync(join(extensions, "places--1.0.sql"), SCRIPT);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
