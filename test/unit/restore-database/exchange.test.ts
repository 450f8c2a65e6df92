import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { Move } from "../../../actions/restore-database/directory/files.ts";
import { LocalFiles } from "../../../actions/restore-database/directory/local-files.ts";
import {
  type Exchange,
  exchange,
  takeBack,
} from "../../../actions/restore-database/directory/swap.ts";
import { testWorld } from "../../backups/world.ts";

const world = testWorld();
const { signal } = world;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "seaworthy-exchange-"));
  put("target/kept", "kept");
  put("target/both", "old");
  put("target/deep/both", "old");
  put("target/goes", "old");
  put("staging/new/both", "new");
  put("staging/new/deep/both", "new");
  put("staging/new/comes", "new");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** Contents by their paths. */
function seen(at: string): Record<string, string> {
  const names = readdirSync(join(folder, at), { recursive: true, withFileTypes: true });
  const files = names
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name));
  return Object.fromEntries(
    files.map((file) => [file.slice(join(folder, at).length + 1), readFileSync(file, "utf8")]),
  );
}

/** Dies before its n-th rename, as a run that is killed. */
class Mortal extends LocalFiles {
  left: number;

  constructor(left: number) {
    super(world);
    this.left = left;
  }

  override async move(moves: readonly Move[]): Promise<void> {
    for (const each of moves) {
      if (this.left === 0) throw new Error("killed");
      this.left -= 1;
      await super.move([each]);
    }
  }
}

const units = [
  { path: "both", had: true, comes: true },
  { path: "deep/both", had: true, comes: true },
  { path: "goes", had: true, comes: false },
  { path: "comes", had: false, comes: true },
];

function plans(): Record<"swap" | "switch" | "first", Exchange> {
  const target = join(folder, "target");
  return {
    swap: { form: "swap", root: target, units, made: [] },
    switch: { form: "switch", target, former: join(folder, "former") },
    first: { form: "switch", target: join(folder, "none-yet") },
  };
}

const WHOLE = { kept: "kept", both: "old", "deep/both": "old", goes: "old" };

describe("an exchange", () => {
  it("of members leaves alone what is not named", async () => {
    await exchange(new LocalFiles(world), join(folder, "staging"), plans().swap, signal);
    expect(seen("target")).toEqual({ kept: "kept", both: "new", "deep/both": "new", comes: "new" });
  });

  it("of folders keeps the former one", async () => {
    await exchange(new LocalFiles(world), join(folder, "staging"), plans().switch, signal);
    expect(seen("target")).toEqual({ both: "new", "deep/both": "new", comes: "new" });
    expect(seen("former")).toEqual(WHOLE);
  });

  it.each([0, 1, 2, 3, 4, 5])(
    "of members that was killed after %i renames is taken back, also where that is killed too",
    async (done) => {
      const staging = join(folder, "staging");
      await exchange(new Mortal(done), staging, plans().swap, signal).catch(() => {});
      cpSync(folder, `${folder}-copy`, { recursive: true });
      await takeBack(new LocalFiles(world), staging, plans().swap, signal);
      expect(seen("target")).toEqual(WHOLE);
      for (let steps = 0; steps <= done; steps += 1) {
        rmSync(folder, { recursive: true });
        cpSync(`${folder}-copy`, folder, { recursive: true });
        await takeBack(new Mortal(steps), staging, plans().swap, signal).catch(() => {});
        await takeBack(new LocalFiles(world), staging, plans().swap, signal);
        expect(seen("target")).toEqual(WHOLE);
      }
      rmSync(`${folder}-copy`, { recursive: true });
    },
  );

  it.each([0, 1])("of folders that was killed after %i renames is taken back", async (done) => {
    const staging = join(folder, "staging");
    await exchange(new Mortal(done), staging, plans().switch, signal).catch(() => {});
    await takeBack(new LocalFiles(world), staging, plans().switch, signal);
    expect(seen("target")).toEqual(WHOLE);
  });
});
