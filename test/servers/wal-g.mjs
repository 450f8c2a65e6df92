// A stand-in for wal-g, which cannot be had here: the commands that read, by their documented arguments,
// environment, output and exit statuses, over the names that WAL-G gives its files. Partitions are gzip'd tars.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const [command, ...args] = process.argv.slice(2);
const prefix = process.env.WALG_FILE_PREFIX;

function fail(words, status = 1) {
  process.stderr.write(`ERROR: 2026/11/22 03:00:00.000000 ${words}\n`);
  process.exit(status);
}

if (prefix === undefined) fail("Failed to find any configured storage");
if (process.env.WALG_LIBSODIUM_KEY === "wrong") fail("failed to decrypt the archive: wrong key");
const backups = join(prefix, "basebackups_005");
const sentinel = (name) => JSON.parse(readFileSync(join(backups, `${name}_backup_stop_sentinel.json`), "utf8"));

switch (command) {
  case "backup-list": {
    if (!args.includes("--json") || !args.includes("--detail")) fail("this stand-in lists as JSON only");
    const names = existsSync(backups) ? readdirSync(backups) : [];
    const listed = names
      .map((name) => /^(base_.*)_backup_stop_sentinel\.json$/.exec(name)?.[1])
      .filter((name) => name !== undefined)
      .map((name) => ({
        backup_name: name,
        time: sentinel(name).FinishTime,
        wal_file_name: name.slice(5, 29),
        storage_name: "default",
        start_time: sentinel(name).StartTime,
        finish_time: sentinel(name).FinishTime,
        finish_lsn: sentinel(name).FinishLSN,
        pg_version: sentinel(name).PgVersion,
        uncompressed_size: sentinel(name).UncompressedSize,
        compressed_size: sentinel(name).CompressedSize,
      }));
    if (listed.length === 0) process.stderr.write("INFO: 2026/11/22 03:00:00.000000 No backups found\n");
    else process.stdout.write(JSON.stringify(listed));
    break;
  }
  case "backup-fetch": {
    const [into, name] = args;
    const given = args.find((arg) => arg.startsWith("--restore-spec="))?.slice(15);
    if (existsSync(into) && readdirSync(into).length > 0) fail(`Directory ${into} for delta base must be empty`);
    const spec = given === undefined ? sentinel(name).Spec : JSON.parse(readFileSync(given, "utf8"));
    mkdirSync(into, { recursive: true });
    const parts = readdirSync(join(backups, name, "tar_partitions"));
    for (const part of parts.sort((a, b) => /^\d/.test(a) - /^\d/.test(b))) {
      const oid = /^(\d+)\.tar/.exec(part)?.[1];
      const place = oid === undefined ? into : spec[oid].loc;
      mkdirSync(place, { recursive: true });
      try {
        execFileSync("tar", ["-xzf", join(backups, name, "tar_partitions", part), "-C", place], { stdio: "pipe" });
      } catch {
        fail(`Failed to fetch backup: extracting ${part}: unexpected EOF`);
      }
      if (oid === undefined) continue;
      rmSync(join(into, spec[oid].link), { recursive: true, force: true });
      symlinkSync(place, join(into, spec[oid].link));
    }
    process.stderr.write("INFO: 2026/11/22 03:00:00.000000 Backup extraction complete.\n");
    break;
  }
  case "wal-fetch": {
    const [name, into] = args;
    const file = join(prefix, "wal_005", `${name}.gz`);
    if (!existsSync(file)) fail(`Archive '${name}' does not exist.`, 74);
    try {
      writeFileSync(into, gunzipSync(readFileSync(file)), { flag: "wx" });
    } catch (error) {
      fail(`Failed to decompress '${name}': ${error.message}`);
    }
    break;
  }
  default:
    fail(`unknown command "${command}" for "wal-g"`);
}
