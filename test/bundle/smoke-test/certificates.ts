import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Pair {
  readonly key: string;
  readonly cert: string;
}

/** A certificate authority of its own, as PEM texts, and what it signs. */
export interface Authority extends Pair {
  /** @param names as OpenSSL has them: `DNS:a.test`, `IP:127.0.0.1`. */
  sign(...names: string[]): Pair;
}

const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Makes an authority; one without others' trust, so that nobody believes what it signs. */
export function makeAuthority(): Authority {
  const authority = inFolder((folder) => {
    const [key, cert] = [join(folder, "key"), join(folder, "cert")];
    const use = ["-addext", "keyUsage=critical,keyCertSign,digitalSignature"];
    openssl(
      "req",
      "-x509",
      ...CURVE,
      "-subj",
      "/CN=test authority",
      ...use,
      "-keyout",
      key,
      "-out",
      cert,
    );
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  });
  return { ...authority, sign: (...names) => signed(authority, names) };
}

function signed(authority: Pair, names: readonly string[]): Pair {
  return inFolder((folder) => {
    const path = (name: string) => join(folder, name);
    writeFileSync(path("ca.key"), authority.key);
    writeFileSync(path("ca.cert"), authority.cert);
    openssl(
      "req",
      "-new",
      ...CURVE,
      "-subj",
      "/CN=test",
      "-keyout",
      path("key"),
      "-out",
      path("csr"),
    );
    writeFileSync(path("names"), names.length === 0 ? "" : `subjectAltName=${names.join(",")}\n`);
    openssl(
      ...["x509", "-req", "-in", path("csr"), "-CA", path("ca.cert"), "-CAkey", path("ca.key")],
      ...["-days", "2", "-extfile", path("names"), "-out", path("cert"), "-CAcreateserial"],
    );
    return { key: readFileSync(path("key"), "utf8"), cert: readFileSync(path("cert"), "utf8") };
  });
}

function openssl(...args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: "ignore" });
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "certificate-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
