import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { checksumOf, sameContent } from "../../../shared/job-config/checksum.ts";
import type { ConfigObject } from "../../../shared/job-config/index.ts";
import { CONFIG, configAnnotation, withChecksums } from "../../../shared/job-config/index.ts";
import { type ConfigManifest, contentOf, manifestOf } from "../../../shared/job-config/object.ts";
import { referencesOf } from "../../../shared/job-config/pod-references.ts";
import { settle } from "../../../shared/job-config/settle.ts";
import { CERTIFICATE, KEY } from "./certificates.ts";

function config(
  kind: "Secret" | "ConfigMap",
  content: Record<string, string | Buffer>,
): ConfigObject {
  return {
    kind,
    name: "app",
    type: kind === "Secret" ? "Opaque" : undefined,
    content: new Map(
      Object.entries(content).map(([key, value]) => [key, Buffer.from(value as string)]),
    ),
    immutable: false,
    labels: {},
    annotations: {},
  };
}

function settled(object: ConfigObject, live?: ConfigManifest) {
  const result = settle(object, live, "shop");
  if (typeof result === "string") throw new Error(result);
  return result;
}

const BYTES = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
const CONTENT = fc.dictionary(fc.stringMatching(/^[-._a-zA-Z0-9]{1,8}$/), BYTES, {
  maxKeys: 5,
  noNullPrototype: true,
});

describe("a ConfigMap or Secret for the cluster", () => {
  it("carries any bytes there and back", () => {
    fc.assert(
      fc.property(
        CONTENT,
        fc.constantFrom("Secret" as const, "ConfigMap" as const),
        (content, kind) => {
          const object = config(kind, content);
          const sent = JSON.parse(JSON.stringify(manifestOf(object, "shop"))) as ConfigManifest;
          expect(sameContent(contentOf(sent), object.content)).toBe(true);
        },
      ),
    );
  });

  it("is new, changed or unchanged, and keeps its checksum while it is unchanged", () => {
    const first = settled(config("Secret", { a: "1" }));
    expect(first.change).toBe("created");
    const again = settled(config("Secret", { a: "1" }), first.manifest);
    expect([again.change, again.checksum]).toEqual(["unchanged", first.checksum]);
    const other = settled(config("Secret", { a: "2" }), first.manifest);
    expect(other.change).toBe("changed");
    expect(other.checksum).not.toBe(first.checksum);
    const back = settled(config("Secret", { a: "1" }), other.manifest);
    expect([back.change, back.checksum]).toEqual(["changed", first.checksum]);
  });

  it("leaves what others keep in it, and says so", () => {
    const live = settled(config("Secret", { a: "1", theirs: "2" })).manifest;
    const result = settled(config("Secret", { a: "1" }), live);
    expect([result.change, ...result.notes]).toEqual([
      "unchanged",
      "secret/app also holds theirs, which the job does not give",
    ]);
  });

  it.each<[string, readonly string[], string, readonly string[]]>([
    ["ours", ["seaworthy"], "changed", []],
    [
      "of somebody else",
      ["seaworthy", "vault"],
      "unchanged",
      ["secret/app also holds b, which the job does not give"],
    ],
  ])("with a key more, %s", (_, managers, change, notes) => {
    const live = settled(config("Secret", { a: "1", b: "2" })).manifest;
    const managedFields = managers.map((manager) => ({
      manager,
      fieldsV1: { "f:data": { "f:b": {} } },
    }));
    const metadata = { ...live.metadata, managedFields };
    const result = settled(config("Secret", { a: "1" }), { ...live, metadata });
    expect([result.change, result.notes]).toEqual([change, notes]);
  });

  it.each<[string, Partial<ConfigManifest>, RegExp | undefined]>([
    ["immutable and another", { immutable: true, data: {} }, /immutable in the cluster/],
    ["immutable and the same", { immutable: true }, undefined],
    ["of another type", { type: "kubernetes.io/tls" }, /of type kubernetes.io\/tls .* to Opaque/],
  ])("that is %s is told", (_, live, expected) => {
    const object = config("Secret", { a: "1" });
    const result = settle(object, { ...manifestOf(object, "shop"), ...live }, "shop");
    if (expected === undefined)
      expect(result).toEqual(expect.objectContaining({ change: "unchanged" }));
    else expect(result).toMatch(expected);
  });
});

describe("the checksum", () => {
  it("tells contents apart, however they are cut into keys and values", () => {
    const of = (content: Record<string, string>) =>
      checksumOf("Secret", config("Secret", content).content, "salt");
    const all = [
      { a: "bc" },
      { ab: "c" },
      { a: "b", c: "" },
      { a: "", bc: "" },
      {},
      { a: "bc", d: "e" },
    ];
    expect(new Set(all.map(of)).size).toBe(all.length);
  });

  it("of a Secret cannot be found without its salt", () => {
    const { content } = config("Secret", { password: "hunter2" });
    expect(checksumOf("Secret", content, "one")).not.toBe(checksumOf("Secret", content, "two"));
    expect(checksumOf("ConfigMap", content, "one")).toBe(checksumOf("ConfigMap", content, "two"));
  });

  it("does not depend on the order of keys", () => {
    fc.assert(
      fc.property(CONTENT, (content) => {
        const turned = Object.fromEntries(Object.entries(content).reverse());
        const [a, b] = [content, turned].map((one) =>
          checksumOf("Secret", config("Secret", one).content, "s"),
        );
        expect(a).toBe(b);
      }),
    );
  });
});

function workload(kind: string, spec: object, annotations?: Record<string, string>) {
  const template = {
    metadata: { labels: { app: "a" }, ...(annotations && { annotations }) },
    spec,
  };
  return {
    apiVersion: kind === "CronJob" || kind === "Job" ? "batch/v1" : "apps/v1",
    kind,
    metadata: { name: "web", namespace: "shop" },
    spec: kind === "CronJob" ? { jobTemplate: { spec: { template } } } : { template },
  };
}

const READS_APP = { containers: [{ name: "a", envFrom: [{ secretRef: { name: "app" } }] }] };
const made = (change: "created" | "changed" | "unchanged", checksum = "11") => [
  { title: "secret/app", checksum, change },
];

describe("which pods are made anew", () => {
  it.each<[string, object, readonly string[]]>([
    [
      "envFrom",
      {
        containers: [{ envFrom: [{ secretRef: { name: "s" } }, { configMapRef: { name: "c" } }] }],
      },
      ["secret/s", "configmap/c"],
    ],
    [
      "env",
      {
        containers: [
          {
            env: [
              { name: "A", value: "x" },
              { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
              { name: "C", valueFrom: { configMapKeyRef: { name: "c", key: "k" } } },
            ],
          },
        ],
      },
      ["secret/s", "configmap/c"],
    ],
    [
      "init containers",
      { containers: [], initContainers: [{ envFrom: [{ secretRef: { name: "s" } }] }] },
      ["secret/s"],
    ],
    [
      "volumes",
      {
        containers: [],
        volumes: [{ secret: { secretName: "s" } }, { configMap: { name: "c" } }, { emptyDir: {} }],
      },
      ["secret/s", "configmap/c"],
    ],
    [
      "projected volumes",
      {
        containers: [],
        volumes: [
          {
            projected: {
              sources: [
                { secret: { name: "s" } },
                { configMap: { name: "c" } },
                { serviceAccountToken: {} },
              ],
            },
          },
        ],
      },
      ["secret/s", "configmap/c"],
    ],
    [
      "secrets for pulling, which no container sees",
      { containers: [], imagePullSecrets: [{ name: "s" }] },
      [],
    ],
    ["nothing", { containers: [{ name: "a" }] }, []],
  ])("by %s", (_, spec, expected) => {
    expect([...referencesOf({ spec })]).toEqual(expected);
  });

  const note = (text: string) => ({ [CONFIG]: text });
  it.each<[string, object, object | undefined, ReturnType<typeof made> | [], string | undefined]>([
    [
      "a new workload",
      workload("Deployment", READS_APP),
      undefined,
      made("unchanged"),
      "secret/app=11",
    ],
    [
      "a changed content",
      workload("Deployment", READS_APP),
      workload("Deployment", READS_APP),
      made("changed"),
      "secret/app=11",
    ],
    [
      "the same content, never noted",
      workload("Deployment", READS_APP),
      workload("Deployment", READS_APP),
      made("unchanged"),
      undefined,
    ],
    [
      "the same content, noted",
      workload("Deployment", READS_APP),
      workload("Deployment", READS_APP, note("secret/app=11")),
      made("unchanged"),
      "secret/app=11",
    ],
    [
      "the same content, but pods of another one",
      workload("Deployment", READS_APP),
      workload("Deployment", READS_APP, note("secret/app=00")),
      made("unchanged"),
      "secret/app=11",
    ],
    [
      "a run without this content",
      workload("Deployment", READS_APP),
      workload("Deployment", READS_APP, note("secret/app=00")),
      [],
      "secret/app=00",
    ],
    [
      "what is read no more",
      workload("Deployment", { containers: [] }),
      workload("Deployment", READS_APP, note("secret/app=00")),
      made("changed"),
      undefined,
    ],
    [
      "what others noted",
      workload("StatefulSet", { ...READS_APP, volumes: [{ configMap: { name: "c" } }] }),
      workload("StatefulSet", READS_APP, note("configmap/c=22,secret/gone=33")),
      made("changed"),
      "configmap/c=22,secret/app=11",
    ],
    ["a CronJob", workload("CronJob", READS_APP), undefined, made("created"), "secret/app=11"],
    [
      "a Job, whose template cannot change",
      workload("Job", READS_APP),
      undefined,
      made("created"),
      undefined,
    ],
  ])("by the annotation: %s", (_, desired, live, settledConfig, expected) => {
    const objects = [desired] as ReturnType<typeof workload>[];
    const value = configAnnotation(
      objects[0] as ReturnType<typeof workload>,
      live as never,
      settledConfig,
    );
    expect(value).toBe(expected);
    const [given] = withChecksums(objects, () => live as never, settledConfig);
    expect(JSON.stringify(given).includes(CONFIG)).toBe(expected !== undefined);
  });

  it("keeps everything else of the object", () => {
    const desired = workload("Deployment", READS_APP, { own: "note" });
    const [given] = withChecksums([desired], () => undefined, made("created"));
    const annotations = { own: "note", [CONFIG]: "secret/app=11" };
    expect(given).toEqual(workload("Deployment", READS_APP, annotations));
  });
});

describe("a certificate", () => {
  const tls = {
    ...config("Secret", { "tls.crt": CERTIFICATE, "tls.key": KEY }),
    type: "kubernetes.io/tls",
  };
  it.each<[string, string, RegExp]>([
    ["that lasts", "2030-01-01", /^$/],
    [
      "that ends soon",
      "2126-10-20",
      /secret\/app: the certificate CN=shop.example expires in 8 days/,
    ],
    [
      "that is over",
      "2130-01-01",
      /secret\/app: the certificate CN=shop.example expired on Oct 28/,
    ],
  ])("%s", (_, now, expected) => {
    const result = settle(tls, undefined, "shop", undefined, Date.parse(now));
    if (typeof result === "string") throw new Error(result);
    expect(result.notes.join()).toMatch(expected);
  });
});
