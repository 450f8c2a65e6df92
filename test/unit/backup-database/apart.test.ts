import { expect, test } from "@jest/globals";
import { checkApart } from "../../../actions/backup-database/apart.ts";

const bucket = (source: string, given: object = {}) => ({
  ...{ source, name: "models", pod: undefined, exclude: undefined },
  ...given,
});

test.each([
  ["s3://models", "s3://models/backups"],
  ["s3://models/", "s3://models"],
  ["s3://models/a", "s3://models/a/b/c"],
])("a bucket is not backed up into itself: %s into %s", async (source, place) => {
  const error = checkApart("bucket", bucket(source), { place });
  await expect(error).rejects.toThrow(/is in what is to be backed up.*exclude/s);
});

test.each<[string, string, object]>([
  ["s3://models", "s3://models-backups", {}],
  ["s3://models/a", "s3://models/ab", {}],
  ["s3://models", "s3://models/backups", { exclude: ["backups/**"] }],
  ["s3://models", "s3://models/backups", { sourceEndpoint: "https://other.example" }],
  ["s3://models", "folder /mnt/backups", {}],
])("what lies apart is let be: %s into %s, %j", async (source, place, given) => {
  await checkApart("bucket", bucket(source, given), { place });
});
