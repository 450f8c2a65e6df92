import {
  appendFileSync,
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

/** One change of a folder. Whether it shows in an image, the real BuildKit says. */
export type Mutation = (root: string) => void | Promise<void>;

/** A folder with one of everything. */
export function writeSample(root: string): void {
  const at = (path: string) => join(root, path);
  for (const folder of ["src/deep", "empty", "left-out/inner"])
    mkdirSync(at(folder), { recursive: true });
  writeFileSync(
    at(".dockerignore"),
    "# what is left out\nleft-out\n*.log\n!kept.log\n.dockerignore\n",
  );
  writeFileSync(at("src/one.ts"), "one");
  writeFileSync(at("src/two.ts"), "two");
  writeFileSync(at("src/deep/three.ts"), "three");
  writeFileSync(at("left-out/file"), "hidden");
  writeFileSync(at("left-out/inner/file"), "hidden");
  writeFileSync(at("some.log"), "hidden");
  writeFileSync(at("kept.log"), "kept");
  writeFileSync(at("run.sh"), "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(at("large"), Buffer.alloc(300_000, "x"));
  writeFileSync(at("other"), "one");
  symlinkSync("src/one.ts", at("link"));
  linkSync(at("src/two.ts"), at("two-again"));
}

/** Name by name; each is done to a fresh sample. */
export const mutations: Readonly<Record<string, Mutation>> = {
  nothing: () => undefined,
  "the content of a file, with the same length": (root) =>
    writeFileSync(join(root, "src/one.ts"), "eno"),
  "a byte at the end of a file": (root) => appendFileSync(join(root, "src/deep/three.ts"), "\n"),
  "a byte in the middle of a large file": (root) => {
    const content = Buffer.alloc(300_000, "x");
    content[270_000] = 0;
    writeFileSync(join(root, "large"), content);
  },
  "the last byte of a large file": (root) => {
    const content = Buffer.alloc(300_000, "x");
    content[299_999] = 0;
    writeFileSync(join(root, "large"), content);
  },
  "a new file": (root) => writeFileSync(join(root, "src/new.ts"), "one"),
  "a new empty file": (root) => writeFileSync(join(root, "new"), ""),
  "a new empty folder": (root) => mkdirSync(join(root, "src/new")),
  "an empty folder that is gone": (root) => rmSync(join(root, "empty"), { recursive: true }),
  "a file that is gone": (root) => unlinkSync(join(root, "src/one.ts")),
  "the name of a file": (root) => renameSync(join(root, "src/one.ts"), join(root, "src/uno.ts")),
  "a file in another folder": (root) =>
    renameSync(join(root, "src/one.ts"), join(root, "src/deep/one.ts")),
  "two contents that change places": (root) => {
    writeFileSync(join(root, "src/one.ts"), "three");
    writeFileSync(join(root, "src/deep/three.ts"), "one");
  },
  "the mode of a file": (root) => chmodSync(join(root, "src/one.ts"), 0o600),
  "a file that can be run": (root) => chmodSync(join(root, "src/one.ts"), 0o755),
  "a setuid bit": (root) => chmodSync(join(root, "run.sh"), 0o4755),
  "the mode of a folder": (root) => chmodSync(join(root, "src/deep"), 0o700),
  "the mode of an empty folder": (root) => chmodSync(join(root, "empty"), 0o1777),
  "the mode of the context's own folder": (root) => chmodSync(root, 0o700),
  "the target of a link": (root) => {
    unlinkSync(join(root, "link"));
    symlinkSync("src/two.ts", join(root, "link"));
  },
  "a link to the same place by another path": (root) => {
    unlinkSync(join(root, "link"));
    symlinkSync("./src/one.ts", join(root, "link"));
  },
  "a file in place of a link to it": (root) => {
    unlinkSync(join(root, "link"));
    writeFileSync(join(root, "link"), "one");
  },
  "a file of its own in place of a hard link": (root) => {
    unlinkSync(join(root, "two-again"));
    writeFileSync(join(root, "two-again"), "two");
  },
  "a hard link in place of a file of the same content": (root) => {
    unlinkSync(join(root, "other"));
    linkSync(join(root, "src/one.ts"), join(root, "other"));
  },
  "a hard link to something that is left out": (root) => {
    unlinkSync(join(root, "other"));
    writeFileSync(join(root, "left-out/one"), "one");
    linkSync(join(root, "left-out/one"), join(root, "other"));
  },
  "a folder in place of an empty file": (root) => {
    unlinkSync(join(root, "other"));
    mkdirSync(join(root, "other"));
  },
  "a socket in place of a file": async (root) => {
    unlinkSync(join(root, "other"));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(root, "other"), resolve));
    server.unref();
  },
  "times of files and folders": (root) => {
    for (const path of ["src/one.ts", "src", "large", "."]) utimesSync(join(root, path), 1, 1);
  },
  "the owner of a file": (root) => chownSync(join(root, "src/one.ts"), 1_000, 1_000),
  "a file that is left out": (root) => writeFileSync(join(root, "left-out/file"), "changed"),
  "a new file that is left out": (root) => writeFileSync(join(root, "left-out/inner/new"), "new"),
  "a new file left out by a wildcard": (root) => writeFileSync(join(root, "more.log"), "new"),
  "a file brought back by an exception": (root) => writeFileSync(join(root, "kept.log"), "changed"),
  "the mode of what is left out": (root) => chmodSync(join(root, "left-out"), 0o700),
  "a comment in an ignore file that is left out itself": (root) =>
    writeFileSync(
      join(root, ".dockerignore"),
      "# other words\nleft-out\n*.log\n!kept.log\n.dockerignore\n",
    ),
  "a line of the ignore file that leaves out more": (root) =>
    appendFileSync(join(root, ".dockerignore"), "src/deep\n"),
  "a line of the ignore file that brings back something": (root) =>
    appendFileSync(join(root, ".dockerignore"), "!left-out/inner\n"),
  "a line of the ignore file that finds nothing": (root) =>
    appendFileSync(join(root, ".dockerignore"), "no-such-file\n"),
  "an ignore file that is seen": (root) =>
    writeFileSync(join(root, ".dockerignore"), "left-out\n*.log\n!kept.log\n"),
};
