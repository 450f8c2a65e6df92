import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { contextDigest } from "../../../shared/content-key/context-digest.ts";
import { type Endpoints, up } from "../../testbed/index.ts";
import { imageOf } from "./image.ts";
import { mutations, writeSample } from "./mutations.ts";
import { tree, writeTree } from "./trees.ts";

jest.setTimeout(120_000);

/** Another seed makes up other trees. */
const SEED = Number(process.env.SEAWORTHY_SEED ?? 20_261_121);
const TREES = Number(process.env.SEAWORTHY_TREES ?? 200);
const AT_ONCE = 20;

let bed: Endpoints;
let place: string;
const { signal } = new AbortController();

beforeAll(async () => {
  bed = await up(["buildkit"]);
  place = mkdtempSync(join(tmpdir(), "seaworthy-content-key-"));
}, 30 * 60_000);

afterAll(() => rmSync(place, { recursive: true, force: true }));

describe("what is hashed of a folder", () => {
  it(`is what BuildKit copies of it, for ${TREES} made-up trees and ignore files`, async () => {
    const trees = fc.sample(tree, { seed: SEED, numRuns: TREES });
    const folders = trees.map((_, index) => join(place, String(index)));
    for (const [index, one] of trees.entries()) writeTree(folders[index] ?? "", one);
    let left = 0;
    for (let from = 0; from < folders.length; from += AT_ONCE) {
      const some = folders.slice(from, from + AT_ONCE);
      await using image = await imageOf(some, bed);
      for (const [index, folder] of some.entries()) {
        const seen = await contextDigest(folder, undefined, signal);
        const copied = await contextDigest(image.folder(index), "", signal);
        if (seen.digest !== copied.digest) {
          const ignore = trees[from + index]?.ignore;
          throw new Error(
            `Tree ${from + index} of seed ${SEED} differs.\nIgnore file: ${JSON.stringify(ignore)}\nSource:\n${list(folder)}\nImage:\n${list(image.folder(index))}\n`,
          );
        }
        left += copied.files;
      }
    }
    // Else the ignore files left out everything, and nothing was compared.
    expect(left).toBeGreaterThan(TREES);
  });
});

describe("a change of a folder", () => {
  it("changes the digest when, and only when, it changes the image", async () => {
    const names = Object.keys(mutations);
    const folders = names.map((_, index) => join(place, `mutation-${index}`));
    for (const [index, folder] of folders.entries()) {
      writeSample(folder);
      await mutations[names[index] ?? ""]?.(folder);
    }
    const original = join(place, "original");
    writeSample(original);
    const digestOf = async (folder: string) =>
      (await contextDigest(folder, undefined, signal)).digest;
    const digest = await digestOf(original);
    await using image = await imageOf([original, ...folders], bed);
    const found: Record<string, { image: string; digest: string }> = {};
    const expected: typeof found = {};
    const word = (isSame: boolean) => (isSame ? "same" : "changed");
    const before = image.entries(0).join("\n");
    for (const [index, folder] of folders.entries()) {
      const isSame = image.entries(index + 1).join("\n") === before;
      const name = names[index] ?? "";
      found[name] = { image: word(isSame), digest: word((await digestOf(folder)) === digest) };
      expected[name] = { image: word(isSame), digest: word(isSame) };
    }
    expect(found).toEqual(expected);
    // Both kinds are among them.
    expect(found["the owner of a file"]?.image).toBe("same");
    expect(found["a setuid bit"]?.image).toBe("changed");
  });
});

function list(folder: string): string {
  return execFileSync("find", [folder, "-mindepth", "1", "-printf", "%P %M %l\\n"], {
    encoding: "utf8",
  });
}
