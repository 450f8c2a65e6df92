import { expect, test } from "@jest/globals";
import { examineForeign } from "../../../actions/verify-backup/foreign.ts";
import type { Means } from "../../../actions/verify-backup/means.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import { silentLog, systemClock } from "../../../shared/world/index.ts";

const { signal } = new AbortController();
const world = {
  ...{ clock: systemClock, log: silentLog, secrets: new Secrets(), signal, aftermath: signal },
  environment: {},
};

test.each([
  ["prod/basebackups_005/base_000000010000000000000004/tar_partitions/part_1.tar.lz4", "wal-g"],
  ["wal_005/000000010000000000000004.zst", "wal-g"],
  ["backup/main/20261122-030000F/pg_data/PG_VERSION.gz", "pgbackrest"],
  ["archive/main/15-1/0000000100000000/00000001000000000000000A-aa.gz", "pgbackrest"],
])("a piece of a repository is refused with what to do: %s", async (name, kind) => {
  const file = { name, bytes: 1, modified: 0, state: "ready" as const };
  const backup = { name, bytes: 1, time: 0, files: [file] };
  const means = { options: { kind: "auto" }, storage: {} } as unknown as Means;
  await expect(
    examineForeign({ form: "foreign", all: [], backup }, means, world),
  ).rejects.toMatchObject({ remedy: expect.stringContaining(`kind: ${kind}`) });
});
