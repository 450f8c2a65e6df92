import { generateKeyPairSync } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bed } from "./bed.ts";
import { run } from "./run.ts";

/** Who a certificate speaks for, as Kubernetes reads it, and under which names it serves. */
interface Subject {
  readonly name: string;
  readonly user: string;
  readonly group?: string;
  readonly serves?: readonly string[];
  readonly authority?: "front-proxy-ca";
}

/** The first address of the cluster's services, which is the API server's own. */
const apiServiceAddress = "10.96.0.1";

function subjects(bed: Bed): Subject[] {
  const inCluster = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
  const loopback = ["localhost", "IP:127.0.0.1"];
  return [
    {
      name: "apiserver",
      user: "kube-apiserver",
      serves: [
        ...inCluster,
        "kubernetes.default.svc.cluster.local",
        ...loopback,
        `IP:${bed.addresses.node}`,
        `IP:${apiServiceAddress}`,
      ],
    },
    { name: "apiserver-kubelet-client", user: "kube-apiserver", group: "system:masters" },
    { name: "front-proxy-client", user: "front-proxy-client", authority: "front-proxy-ca" },
    { name: "admin", user: "admin", group: "system:masters" },
    { name: "controller-manager", user: "system:kube-controller-manager" },
    { name: "scheduler", user: "system:kube-scheduler" },
    { name: "kube-proxy", user: "system:kube-proxy" },
    { name: "coredns", user: "system:coredns" },
    { name: "kwok", user: "kwok", group: "system:masters" },
    {
      name: "kubelet",
      user: `system:node:${bed.name}`,
      group: "system:nodes",
      serves: [bed.name, ...loopback, `IP:${bed.addresses.node}`],
    },
  ];
}

/** Makes the cluster's authorities, keys and certificates, once for the life of the bed. */
export async function makeCertificates(bed: Bed): Promise<void> {
  const folder = bed.path("pki");
  if (await stat(folder).catch(() => undefined)) return;
  const unfinished = bed.path("pki.unfinished");
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });

  await Promise.all(["ca", "front-proxy-ca"].map((name) => makeAuthority(unfinished, name)));
  await writeKey(unfinished, "service-account", true);
  await Promise.all(subjects(bed).map((subject) => sign(unfinished, subject)));
  await rename(unfinished, folder);
}

async function makeAuthority(folder: string, name: string): Promise<void> {
  const key = await writeKey(folder, name);
  const subject = ["-subj", `/CN=seaworthy-testbed-${name}`];
  const use = ["-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature"];
  await run("openssl", [
    ...["req", "-x509", "-key", key, "-days", "3650", "-out", join(folder, `${name}.crt`)],
    ...[...subject, ...use],
  ]);
}

async function sign(folder: string, subject: Subject): Promise<void> {
  const { name, user, group, serves = [], authority = "ca" } = subject;
  const key = await writeKey(folder, name);
  const organization = group === undefined ? "" : `/O=${group}`;
  const request = await run("openssl", [
    ...["req", "-new", "-key", key, "-subj", `${organization}/CN=${user}`],
  ]);
  const names = serves.map((name) => (name.startsWith("IP:") ? name : `DNS:${name}`));
  const extensions = [
    "extendedKeyUsage=clientAuth,serverAuth",
    ...(names.length > 0 ? [`subjectAltName=${names.join(",")}`] : []),
  ];
  const extensionFile = join(folder, `${name}.extensions`);
  await writeFile(extensionFile, extensions.join("\n"));
  await run(
    "openssl",
    [
      ...["x509", "-req", "-days", "3650", "-extfile", extensionFile],
      ...["-CA", join(folder, `${authority}.crt`), "-CAkey", join(folder, `${authority}.key`)],
      ...["-set_serial", String(1 + subjectNumber(name)), "-out", join(folder, `${name}.crt`)],
    ],
    { input: request },
  );
  await rm(extensionFile);
}

/** Serial numbers need only differ within one authority. */
function subjectNumber(name: string): number {
  return [...name].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 1e9, 7);
}

async function writeKey(folder: string, name: string, withPublic = false): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const file = join(folder, `${name}.key`);
  await writeFile(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  if (withPublic) {
    const pem = publicKey.export({ type: "spki", format: "pem" });
    await writeFile(join(folder, `${name}.pub`), pem);
  }
  return file;
}

/** A kubeconfig that holds all it needs in itself, so that it can be copied anywhere. */
export async function kubeconfig(bed: Bed, user: string): Promise<string> {
  const base64 = async (file: string) => (await readFile(bed.path("pki", file))).toString("base64");
  const [authority, certificate, key] = await Promise.all(
    ["ca.crt", `${user}.crt`, `${user}.key`].map(base64),
  );
  // JSON is YAML too.
  return JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      "current-context": bed.name,
      clusters: [
        {
          name: bed.name,
          cluster: { server: bed.server, "certificate-authority-data": authority },
        },
      ],
      users: [
        { name: user, user: { "client-certificate-data": certificate, "client-key-data": key } },
      ],
      contexts: [{ name: bed.name, context: { cluster: bed.name, user, namespace: "default" } }],
    },
    null,
    2,
  );
}
