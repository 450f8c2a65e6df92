import { copyFile, cp, mkdir, readFile, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TestbedError } from "../configuration.ts";
import type { Tool } from "../piece.ts";
import { run } from "../run.ts";
import { addBusybox, busybox } from "./busybox.ts";
import { type Image, provide } from "./image.ts";

const authorities = "/etc/ssl/certs/ca-certificates.crt";
const npmFolder = "/usr/local/lib/node_modules/npm";

/** Node 24 with npm: what a sample service's Dockerfile starts from. */
export const node: Image = {
  repository: "testbed/node",
  tag: "24",
  config: {
    Cmd: ["node"],
    Env: [
      "PATH=/usr/local/bin:/usr/bin:/bin",
      `NODE_EXTRA_CA_CERTS=${authorities}`,
      `SSL_CERT_FILE=${authorities}`,
    ],
  },
  key: async (bed) =>
    [
      process.version,
      await readFile(join(await npm(), "package.json"), "utf8"),
      await readFile(authorities, "utf8").catch(() => ""),
      await busybox.key(bed),
    ].join("\n"),
  fill: async (bed, root) => {
    await addBusybox(bed, root);
    await addNode(root);
    await addNpm(root);
    await mkdir(join(root, dirname(authorities)), { recursive: true });
    // A machine without authorities has no use for them either.
    await copyFile(authorities, join(root, authorities)).catch(() => undefined);
  },
};

/** The Node image in the registry. */
export const nodeImage: Tool = {
  name: "node-image",
  needs: ["registry"],
  packages: ["busybox-static"],
  prepare: (bed) => provide(bed, node),
};

/** Adds the Node that runs this, which `npm ci` pinned, with the libraries that it loads. */
async function addNode(root: string): Promise<void> {
  if (!process.version.startsWith("v24.")) {
    throw new TestbedError(
      `The image testbed/node:24 is made of the Node that runs this, which is ${process.version}. ` +
        "Run it through `npm run testbed`: npm then puts the Node 24 of this project first.",
    );
  }
  await mkdir(join(root, "usr/local/bin"), { recursive: true });
  await copyFile(process.execPath, join(root, "usr/local/bin/node"));
  const listing = await run("ldd", [process.execPath]);
  for (const [, library = ""] of listing.matchAll(/(\/\S+) \(0x/g)) {
    await mkdir(join(root, dirname(library)), { recursive: true });
    await copyFile(library, join(root, library));
  }
}

async function addNpm(root: string): Promise<void> {
  await mkdir(join(root, dirname(npmFolder)), { recursive: true });
  await cp(await npm(), join(root, npmFolder), { recursive: true, dereference: true });
  for (const name of ["npm", "npx"]) {
    await symlink(`${npmFolder}/bin/${name}-cli.js`, join(root, "usr/local/bin", name));
  }
}

/** The folder of the npm that runs us, or of the machine's. */
async function npm(): Promise<string> {
  const running = process.env.npm_execpath;
  if (running?.endsWith("npm-cli.js")) return join(dirname(running), "..");
  return join((await run("npm", ["root", "--global"])).trim(), "npm");
}
