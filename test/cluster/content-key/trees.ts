import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";

/** A file of a tree that is made up. */
export interface Leaf {
  readonly path: string;
  readonly kind: "file" | "folder" | "link" | "hard link" | "fifo";
  readonly mode: number;
  readonly text: string;
}

export interface Tree {
  readonly leaves: readonly Leaf[];
  readonly ignore: readonly string[];
}

const NAMES = ["a", "b", "ab", "a.txt", "b.go", "src", "x y", "ü", "node_modules", "Dockerfile"];
const STRANGE = [
  ".git",
  "new\nline",
  "[b]",
  "a*b",
  "😀",
  "\uFF5E",
  "a\\b",
  "...",
  "#c",
  "!d",
  "a^b",
];
const WILD = [
  "*",
  "**",
  "?",
  "*.txt",
  "a*",
  "[ab]",
  "[^a]*",
  "?.go",
  "**.go",
  "a?",
  "..",
  ".",
  "*b*",
  "a\\*b",
  "[a-s]rc",
];

const name = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...NAMES) },
  fc.constantFrom(...STRANGE),
);
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));

const leaf: fc.Arbitrary<Leaf> = fc.record({
  path,
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant("file" as const) },
    fc.constantFrom("folder", "link", "hard link", "fifo"),
  ),
  mode: fc.constantFrom(0o644, 0o644, 0o755, 0o600, 0o4755, 0o2755, 0o1777, 0),
  text: fc.constantFrom("", "one", "two", "a/b", "../a", "/etc/passwd"),
});

const piece = fc.oneof(
  // To Go \b is the edge of a word: the reader counts on every file then (see the test of that).
  { weight: 3, arbitrary: name.map((text) => text.replace("\\", "")) },
  { weight: 2, arbitrary: fc.constantFrom(...WILD) },
);
const pattern = fc
  .tuple(
    fc.constantFrom("", "", "", "!", "!", "/", "!/", "./", "  ", "! "),
    fc.array(piece, { minLength: 1, maxLength: 3 }),
    fc.constantFrom("", "", "", "/", "/**", "  ", "/."),
  )
  .map(([before, parts, behind]) => `${before}${parts.join("/")}${behind}`)
  // A line break ends a line of the file.
  .map((line) => line.replaceAll("\n", "?"))
  // With such a line there is no build: "illegal exclusion pattern".
  .filter((line) => !/^\s*!\s*\/(?:[^/]+\/\.\.|\.{1,2}|\/)*\/?\s*$/.test(line));

const ignore = fc.array(
  fc.oneof({ weight: 9, arbitrary: pattern }, fc.constantFrom("# a", "", " #c")),
  {
    maxLength: 6,
  },
);

export const tree: fc.Arbitrary<Tree> = fc.record({
  leaves: fc.array(leaf, { minLength: 3, maxLength: 14 }),
  ignore,
});

/** Writes a tree; what does not fit to what is there already is left out. */
export function writeTree(root: string, { leaves, ignore: lines }: Tree): void {
  mkdirSync(root, { recursive: true });
  const files: string[] = [];
  for (const one of leaves) {
    try {
      writeLeaf(root, one, files);
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (!["EEXIST", "ENOTDIR", "EISDIR", "ELOOP", "ENOENT"].includes(code)) throw error;
    }
  }
  writeFileSync(join(root, ".dockerignore"), `${lines.join("\n")}\n`);
}

function writeLeaf(root: string, { path: at, kind, mode, text }: Leaf, files: string[]): void {
  const file = join(root, ...at.split("/"));
  mkdirSync(dirname(file), { recursive: true });
  if (lstatSync(file, { throwIfNoEntry: false }) !== undefined) return;
  if (kind === "link") {
    symlinkSync(text === "" ? "nowhere" : text, file);
    return;
  }
  if (kind === "hard link") {
    const other = files[at.length % Math.max(files.length, 1)];
    if (other !== undefined) linkSync(other, file);
    return;
  }
  if (kind === "folder") mkdirSync(file);
  else if (kind === "fifo") execFileSync("mkfifo", [file], { stdio: "ignore" });
  else writeFileSync(file, text, { flag: "wx" });
  chmodSync(file, mode);
  if (kind === "file") files.push(file);
}
