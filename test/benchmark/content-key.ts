import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Bench, median, type Result } from "./results.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "..", "..");

const SIZES = [1_000, 10_000, 100_000];
const ROUNDS = 5;
const PER_FOLDER = 50;
/** Sources of programs: most are small. */
const [SMALLEST, LARGEST] = [200, 4_096];

/** Budgets: half the time of what a shell would do; the memory that any action may take. */
const RATIO = 0.5;
const MEMORY_MB = 150;

/**
 * How long a content key takes, for contexts of 1,000, 10,000 and 100,000 files, against
 * `find | sort | xargs sha256sum`: whole processes, with a warm page cache, in turn.
 */
export const contentKey: Bench = async (log) => {
  const place = await mkdtemp(join(tmpdir(), "seaworthy-bench-"));
  try {
    const program = await bundle(place);
    const results: Result[] = [];
    for (const size of SIZES) {
      const tree = join(place, String(size));
      writeTree(tree, size);
      log(`${size.toLocaleString("en")} files are there`);
      results.push(...(await measure(program, tree, size, log)));
    }
    return results;
  } finally {
    await rm(place, { recursive: true, force: true });
  }
};

/** One file for Node.js, as scripts/bundle.ts makes one of an action. */
async function bundle(place: string): Promise<string> {
  const configuration = {
    extends: join(ROOT, "tsconfig.json"),
    compilerOptions: { outDir: join(place, "lib"), rootDir: ROOT, noEmit: false, sourceMap: false },
    files: [join(import.meta.dirname, "content-key-process.ts")],
    include: [],
  };
  const bin = join(ROOT, "node_modules", ".bin");
  await writeFile(join(place, "package.json"), JSON.stringify({ type: "module" }));
  // Where the compiler and the bundler look for what the sources import.
  await symlink(join(ROOT, "node_modules"), join(place, "node_modules"));
  await writeFile(join(place, "tsconfig.json"), JSON.stringify(configuration));
  await run(join(bin, "tsc"), ["-p", place]);
  const entry = join(place, "lib", "test", "benchmark", "content-key-process.js");
  await run(join(bin, "ncc"), ["build", entry, "-o", join(place, "dist"), "-C", "-q"], {
    cwd: place,
  });
  return join(place, "dist", "index.js");
}

/** Always the same files. */
function writeTree(root: string, size: number): void {
  let state = size;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
  for (let index = 0; index < size; index += 1) {
    const number = Math.floor(index / PER_FOLDER);
    const folder = join(root, `area-${Math.floor(number / 20)}`, `module-${number % 20}`);
    if (index % PER_FOLDER === 0) mkdirSync(folder, { recursive: true });
    const content = Buffer.alloc(
      SMALLEST + (next() % (LARGEST - SMALLEST)),
      `${next()} ${index}\n`,
    );
    writeFileSync(join(folder, `file-${index}.ts`), content);
  }
}

async function measure(
  program: string,
  tree: string,
  size: number,
  log: (line: string) => void,
): Promise<readonly Result[]> {
  const ours: number[] = [];
  const theirs: number[] = [];
  const memory: number[] = [];
  // The first round brings the files into memory.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const key = await timed(() => run(process.execPath, [program, tree]));
    const told = JSON.parse(key.answer.stdout) as { files: number; kilobytes: number };
    if (told.files !== size) throw new Error(`${told.files} files were read in place of ${size}`);
    const shell = "find . -type f -print0 | sort -z | xargs -0 sha256sum > /dev/null";
    const hashed = await timed(() => run("sh", ["-c", shell], { cwd: tree }));
    if (round === 0) continue;
    ours.push(key.milliseconds);
    theirs.push(hashed.milliseconds);
    memory.push(told.kilobytes / 1_000);
  }
  log(`  ours: ${shown(ours)}; find | sort | xargs sha256sum: ${shown(theirs)}`);
  const isLargest = size === SIZES.at(-1);
  const of = (name: string, value: number, unit: string, target?: number) => ({
    name: `${name}-${size}`,
    value,
    unit,
    target,
  });
  return [
    // A process of Node.js takes longer to start than a shell takes for a thousand files.
    of("ratio", median(ours) / median(theirs), "times", isLargest ? RATIO : undefined),
    of("memory-mb", Math.max(...memory), "MB", MEMORY_MB),
    of("milliseconds", median(ours), "ms"),
    of("sha256sum-milliseconds", median(theirs), "ms"),
  ];
}

function shown(times: readonly number[]): string {
  return `${times.map((time) => Math.round(time)).join(", ")} ms`;
}

async function timed<T>(act: () => Promise<T>): Promise<{ answer: T; milliseconds: number }> {
  const began = performance.now();
  const answer = await act();
  return { answer, milliseconds: performance.now() - began };
}
