import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { objectsOf } from "../../../shared/helm/index.ts";
import { manifestKeeping, recordKeeping } from "../../../shared/release/keep-replicas.ts";

const manifest = `---
# Source: shop/templates/config.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {text: "<b> & \\"web\\" <b>"}
---
# Source: shop/templates/web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web # the one
spec:
  replicas: 2
  template: {}
`;
const kept = [
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    namespace: "shop",
    name: "web",
    live: 7,
    asked: 2,
  },
];

describe("replicas that an autoscaler has chosen", () => {
  it("are put into the manifest, the rest of which stays as it is", () => {
    const changed = manifestKeeping(manifest, kept, "shop");
    expect(changed.slice(0, manifest.indexOf("---", 3))).toBe(
      manifest.slice(0, manifest.indexOf("---", 3)),
    );
    expect(changed).toContain("# Source: shop/templates/web.yaml\n");
    expect(objectsOf(changed)[1]).toEqual({
      ...objectsOf(manifest)[1],
      spec: { replicas: 7, template: {} },
    });
  });

  it("change nothing elsewhere", () => {
    expect(manifestKeeping(manifest, kept, "other")).toBe(manifest);
    expect(manifestKeeping(manifest, [], "shop")).toBe(manifest);
  });

  it("are put into Helm's record, whose large numbers keep their digits", () => {
    const escaped = JSON.stringify(manifest)
      .replace(/</g, "\\u003c")
      .replace(/>/g, "\\u003e")
      .replace(/&/g, "\\u0026");
    const json = `{"name":"shop","config":{"big":12345678901234567890},"manifest":${escaped},"version":2}`;
    const packed = gzipSync(json).toString("base64");
    const changed = recordKeeping(packed, manifest, kept, "shop") ?? "";
    const after = gunzipSync(Buffer.from(changed, "base64")).toString();
    expect(after).toContain("12345678901234567890");
    const { manifest: kept_ } = JSON.parse(after);
    expect(kept_).toBe(manifestKeeping(manifest, kept, "shop"));
    expect(recordKeeping(packed, `${manifest}x`, kept, "shop")).toBeUndefined();
  });
});
