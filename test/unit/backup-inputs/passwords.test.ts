import { describe, expect, it } from "@jest/globals";
import { passwordsIn } from "../../../shared/backup-inputs/index.ts";

describe("passwords in addresses", () => {
  it.each<[string, string[]]>([
    ["postgres://app:s3cret@db/papers", ["s3cret"]],
    [
      "postgres://app:p%40ss%2Fword@db1,db2:5433/papers?sslmode=require",
      ["p%40ss%2Fword", "p@ss/word"],
    ],
    ["redis://:hunter22@cache:6379/0", ["hunter22"]],
    [
      "postgres://db/papers?user=app&password=a%20b&sslpassword=keypass",
      ["a%20b", "a b", "keypass"],
    ],
    ["https://app:bad%zz@search:9200", ["bad%zz"]],
    ["postgres://app@db/papers", []],
    ["s3://bucket/prefix", []],
    ["./backups", []],
    ["", []],
  ])("%s", (address, expected) => expect(passwordsIn(address)).toEqual(expected));
});
