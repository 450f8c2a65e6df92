import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "@jest/globals";
import { recognise, recogniseHead } from "../../../shared/dump-format/index.ts";
import { dumpFrom, fileOf, fixture } from "./fixture.ts";

const plain = fileOf("15/plain.sql");

test.each<[string, Buffer | string, string, string[]]>([
  ["plain SQL", plain, "pg-plain", []],
  ["of a whole server", "--\n-- PostgreSQL database cluster dump\n--\n", "pg-plain-cluster", []],
  ["custom", fileOf("15/custom.dump"), "pg-custom", []],
  ["tar of pg_dump", fileOf("15/tar.tar"), "pg-tar", []],
  ["gzip", gzipSync(plain), "pg-plain", ["gzip"]],
  ["zstd of custom", zstdCompressSync(fileOf("15/custom.dump")), "pg-custom", ["zstd"]],
  ["gzip in zstd", zstdCompressSync(gzipSync(plain)), "pg-plain", ["zstd", "gzip"]],
  ["age", "age-encryption.org/v1\n-> X25519 x\n", "sealed", ["age"]],
  ["age in text", "-----BEGIN AGE ENCRYPTED FILE-----\n", "sealed", ["age"]],
  ["openssl", "Salted__12345678", "sealed", ["openssl"]],
  ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), "sealed", ["xz"]],
  ["bzip2", "BZh91AY", "sealed", ["bzip2"]],
  ["zip", "PK\x03\x04", "sealed", ["zip"]],
  ["RDB", "REDIS0011\xfa", "rdb", []],
  ["MySQL", "-- MySQL dump 10.13  Distrib 8.0\n", "mysql", []],
  ["MariaDB", "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\n", "mysql", []],
  ["other SQL", "CREATE TABLE x (a int);\n", "sql", []],
  ["HTML", "<!DOCTYPE html><html>", "html", []],
  ["S3's XML", "<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "html", []],
  ["JSON", '{"message": "Not Found"}', "json", []],
  ["UTF-16", Buffer.from("\ufeff-- x", "utf16le"), "utf16-text", []],
  ["text", "pg_dump: error: connection to server failed\n", "text", []],
  ["nothing", "", "empty", []],
  ["anything", Buffer.from([1, 2, 3, 4, 0, 9]), "unknown", []],
])("%s", (_name, bytes, format, layers) => {
  const found = recogniseHead(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  expect([found.format, found.layers]).toEqual([format, layers]);
});

test.each<[string[], string]>([
  [["toc.dat", "3012.dat.gz"], "pg-directory"],
  [["base.tar.gz", "pg_wal.tar.gz", "backup_manifest"], "pg-basebackup"],
  [["PG_VERSION", "global/pg_control", "base/1/112"], "pg-basebackup"],
  [["backup/main/backup.info", "archive/main/archive.info"], "pgbackrest"],
  [["basebackups_005/base_000000010000000000000002_backup_stop_sentinel.json"], "wal-g"],
  [["x.txt"], "unknown"],
  [[], "empty"],
])("a folder with %j is %s", async (names, format) => {
  const files = new Map(names.map((name) => [name, Buffer.alloc(0)]));
  const found = await recognise(dumpFrom(files, true), new AbortController().signal);
  expect(found.format).toBe(format);
});

test("what cannot be examined says what to do", () => {
  expect(recogniseHead(Buffer.from("BZh91AY"))).toMatchObject({
    sentence: "sealed content, compressed with bzip2",
    refusal: "Unpack it with bzip2 -d, or store dumps with gzip or zstd.",
  });
  expect(
    recogniseHead([...fixture("15/plain.sql.gz").values()][0] ?? Buffer.alloc(0)).refusal,
  ).toBeUndefined();
});
