import { describe, expect, it } from "@jest/globals";
import { parseLocation } from "../../../shared/storage/location.ts";
import { addressOf, urlOf } from "../../../shared/storage/s3/address.ts";

describe("a location", () => {
  it.each([
    ["/mnt/backups", { kind: "folder", path: "/mnt/backups" }],
    ["./backups/", { kind: "folder", path: "/home/runner/backups" }],
    ["backups", { kind: "folder", path: "/home/runner/backups" }],
    [" ../b ", { kind: "folder", path: "/home/b" }],
    ["file:///mnt/my%20backups", { kind: "folder", path: "/mnt/my backups" }],
    ["s3://bucket", { kind: "s3", bucket: "bucket", prefix: "" }],
    ["s3://bucket/", { kind: "s3", bucket: "bucket", prefix: "" }],
    ["S3://my.bucket/prod/pg/", { kind: "s3", bucket: "my.bucket", prefix: "prod/pg/" }],
    ["artifact:", { kind: "artifact", prefix: "backup/" }],
    ["artifact:prod", { kind: "artifact", prefix: "prod/" }],
    ["artifact://prod/pg", { kind: "artifact", prefix: "prod/pg/" }],
  ])("is understood: %s", (text, expected) => {
    expect(parseLocation(text, "/home/runner")).toEqual(expected);
  });

  it.each([
    ["", "it is empty"],
    ["a\nb", "control character"],
    ["s3://", "no name of a bucket"],
    ["s3:///x", "no name of a bucket"],
    ["s3://a_", "no name of a bucket"],
    ["s3://bucket/../x", "`..` part"],
    ["s3://bucket/a//b", "empty"],
    ["file://host/share", "file:///path"],
    ["file:relative", undefined],
    ["gs://bucket", "S3 API"],
    ["https://minio/bucket", "as the endpoint"],
    ["ftp://host/x", "no storage that is known"],
    ["s3://AKIA:secret@bucket/x", "keys do not belong"],
    ["s3://AKIA:se/secret@bucket/x", "keys do not belong"],
  ])("is refused: %j", (text, why) => {
    if (why === undefined) return;
    const refused = () => parseLocation(text, "/home/runner");
    expect(refused).toThrow(why);
    expect(refused).not.toThrow("secret@");
  });
});

describe("the address of a bucket", () => {
  const of = (bucket: string, settings: object, environment: Record<string, string> = {}) => {
    const address = addressOf(bucket, settings, environment);
    return `${urlOf(address, "a b/c+é", { "x-id": "1&2", a: "" }).href} ${address.region}`;
  };

  it.each([
    ["plain", {}, {}, "https://plain.s3.us-east-1.amazonaws.com/PATH us-east-1"],
    [
      "plain",
      {},
      { AWS_REGION: "eu-west-1" },
      "https://plain.s3.eu-west-1.amazonaws.com/PATH eu-west-1",
    ],
    [
      "do.ts",
      { region: "cn-north-1" },
      {},
      "https://s3.cn-north-1.amazonaws.com.cn/do.ts/PATH cn-north-1",
    ],
    ["x", { endpoint: "http://minio:9000" }, {}, "http://minio:9000/x/PATH us-east-1"],
    ["x", { endpoint: "minio.example/s3/" }, {}, "https://minio.example/s3/x/PATH us-east-1"],
    [
      "x",
      { endpoint: "https://s3.eu-central-1.wasabisys.com" },
      {},
      "https://s3.eu-central-1.wasabisys.com/x/PATH eu-central-1",
    ],
    [
      "x",
      { endpoint: "https://acc.r2.cloudflarestorage.com" },
      { AWS_REGION: "eu-west-1" },
      "https://acc.r2.cloudflarestorage.com/x/PATH auto",
    ],
    [
      "x",
      { endpoint: "https://storage.googleapis.com", pathStyle: false },
      {},
      "https://x.storage.googleapis.com/PATH us-east-1",
    ],
    ["x", {}, { AWS_ENDPOINT_URL_S3: "http://moto:5000" }, "http://moto:5000/x/PATH us-east-1"],
    [
      "plain",
      { endpoint: "https://s3.eu-west-3.amazonaws.com" },
      {},
      "https://plain.s3.eu-west-3.amazonaws.com/PATH eu-west-3",
    ],
    [
      "x",
      {},
      { AWS_ENDPOINT_URL: "http://m", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" },
      "https://x.s3.us-east-1.amazonaws.com/PATH us-east-1",
    ],
  ])("of %s with %j and %j", (bucket, settings, environment, expected) => {
    const path = "a%20b/c%2B%C3%A9?a=&x-id=1%262";
    expect(of(bucket, settings, environment)).toBe(expected.replace("PATH", path));
  });

  it.each(["ftp://x", "https://key:secret@x", "http://x?y", "::"])("is refused: %s", (endpoint) => {
    expect(() => addressOf("x", { endpoint }, {})).toThrow("The endpoint of the bucket");
  });

  it("does not take what is no region", () => {
    expect(() => addressOf("x", { region: "eu-west-1.evil.example/" }, {})).toThrow(
      "no name of a region",
    );
  });
});
