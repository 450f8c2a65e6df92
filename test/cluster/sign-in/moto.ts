import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { runTool } from "../../contract/tool.ts";
import { pathToPip } from "../../contract/workflows/zizmor.ts";
import { readConfiguration } from "../../testbed/configuration.ts";

/** What moto's server needs for ECR and STS; the wheels differ by Python's version, so no hashes. */
const REQUIREMENTS = [
  ...["moto==5.2.5", "boto3==1.44.5", "botocore==1.44.5", "s3transfer==0.19.3", "jmespath==1.1.0"],
  ...["python-dateutil==2.9.0.post0", "six==1.17.0", "urllib3==2.8.0", "requests==2.34.2"],
  ...["certifi==2026.10.18", "charset-normalizer==3.5.2", "idna==3.20", "responses==0.26.3"],
  ...["PyYAML==6.0.3", "xmltodict==1.0.4", "cryptography==50.0.2", "cffi==2.1.1"],
  ...["pycparser==3.12", "Werkzeug==3.1.9", "MarkupSafe==3.0.4", "Jinja2==3.1.6"],
  ...["Flask==3.1.3", "flask-cors==6.0.5", "blinker==1.9.0", "click==8.5.1"],
  ...["itsdangerous==2.2.0"],
];

/** The folder with moto and botocore for Python; installed into the bed's cache once. */
export async function motoFolder(): Promise<string> {
  const { cache } = readConfiguration(process.env);
  const folder = join(cache, "python", "moto-5.2.5");
  if (existsSync(folder)) return folder;
  mkdirSync(join(cache, "python"), { recursive: true });
  const work = mkdtempSync(join(cache, "python", ".unfinished-"));
  try {
    const requirements = join(work, "requirements.txt");
    writeFileSync(requirements, REQUIREMENTS.join("\n"));
    const target = join(work, "target");
    const pip = await pathToPip(cache);
    const options = ["--quiet", "--disable-pip-version-check", "--no-deps"];
    const args = [...pip, "install", ...options, "--only-binary=:all:", "--target", target];
    const { status, stderr } = runTool("env", [...args, "--requirement", requirements]);
    if (status !== 0) throw new Error(`pip could not install moto: ${stderr}`);
    if (!existsSync(folder)) renameSync(target, folder);
    return folder;
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** AWS as moto plays it: ECR, STS and IAM of one account. */
export class Moto implements AsyncDisposable {
  readonly origin: string;
  readonly folder: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, folder: string, origin: string) {
    this.#child = child;
    this.folder = folder;
    this.origin = origin;
  }

  static async start(): Promise<Moto> {
    const folder = await motoFolder();
    const port = await freePort();
    const child = spawn("python3", ["-m", "moto.server", "-H", "127.0.0.1", "-p", `${port}`], {
      env: { ...process.env, PYTHONPATH: folder },
      stdio: "ignore",
    });
    const origin = `http://127.0.0.1:${port}`;
    for (let tries = 0; tries < 300; tries += 1) {
      const answer = await fetch(`${origin}/moto-api/`).catch(() => undefined);
      if (answer?.ok === true) return new Moto(child, folder, origin);
      if (child.exitCode !== null) throw new Error("moto ended at once");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    child.kill();
    throw new Error("moto does not answer");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await once(this.#child, "exit");
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
