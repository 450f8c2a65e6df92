import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { privateFolder } from "../process/index.ts";

/** Certificates as a file, for programs that take no others; it goes with this process. */
export async function certificateFile(pem: string | undefined) {
  if (pem === undefined) return undefined;
  const folder = await privateFolder("seaworthy-ca-");
  const path = join(folder.path, "ca.pem");
  await writeFile(path, pem, { mode: 0o600 });
  return { path, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}
