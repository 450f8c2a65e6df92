import { describe, expect, it } from "@jest/globals";
import { cloudOf } from "../../../shared/sign-in/cloud.ts";

const ecr = (account: string, region: string, api: string, tokens: string, audience: string) => ({
  ...{ kind: "ecr", isPublic: false, account, region },
  ...{ api: `https://${api}`, tokens: `https://${tokens}`, audience },
});

describe("whose registry a host is", () => {
  const hosts: readonly (readonly [host: string, cloud: unknown, server?: string])[] = [
    ["ghcr.io", { kind: "github" }],
    ["containers.git.shop.example", { kind: "github" }, "https://git.shop.example"],
    ["containers.shop.ghe.com", { kind: "github" }, "https://shop.ghe.com"],
    ["containers.git.shop.example", undefined],
    ["containers.github.com", undefined, "https://github.com"],
    ["ghcr.io.evil.example", undefined],
    ["docker.io", undefined],
    ["quay.io", undefined],
    ["127.0.0.1:5000", undefined],
    [
      "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
      ecr(
        ...(["123456789012", "eu-west-1", "api.ecr.eu-west-1.amazonaws.com"] as const),
        ...(["sts.eu-west-1.amazonaws.com", "sts.amazonaws.com"] as const),
      ),
    ],
    [
      "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
      ecr(
        ...(["123456789012", "us-gov-west-1", "ecr-fips.us-gov-west-1.amazonaws.com"] as const),
        ...(["sts.us-gov-west-1.amazonaws.com", "sts.amazonaws.com"] as const),
      ),
    ],
    [
      "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
      ecr(
        ...(["123456789012", "cn-north-1", "api.ecr.cn-north-1.amazonaws.com.cn"] as const),
        ...(["sts.cn-north-1.amazonaws.com.cn", "sts.amazonaws.com.cn"] as const),
      ),
    ],
    [
      "123456789012.dkr-ecr.ap-southeast-2.on.aws",
      ecr(
        ...(["123456789012", "ap-southeast-2", "ecr.ap-southeast-2.api.aws"] as const),
        ...(["sts.ap-southeast-2.amazonaws.com", "sts.amazonaws.com"] as const),
      ),
    ],
    ["12345.dkr.ecr.eu-west-1.amazonaws.com", undefined],
    ["123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example", undefined],
    ["europe-west3-docker.pkg.dev", { kind: "google" }],
    ["us-docker.pkg.dev", { kind: "google" }],
    ["gcr.io", { kind: "google" }],
    ["eu.gcr.io", { kind: "google" }],
    ["docker.pkg.dev", undefined],
    ["evil-gcr.io", undefined],
    ["shop.azurecr.io", { kind: "azure", authority: "https://login.microsoftonline.com" }],
    ["shop-hash.azurecr.io", { kind: "azure", authority: "https://login.microsoftonline.com" }],
    ["shop.azurecr.us", { kind: "azure", authority: "https://login.microsoftonline.us" }],
    ["shop.azurecr.cn", { kind: "azure", authority: "https://login.partner.microsoftonline.cn" }],
    ["azurecr.io", undefined],
  ];

  // A row that is shorter than the function has parameters would get a callback instead.
  it.each(hosts.map(([host, cloud, server = ""]) => [host, cloud, server] as const))(
    "%s",
    (host, expected, server) => {
      expect(cloudOf(host, { GITHUB_SERVER_URL: server })).toEqual(expected);
    },
  );

  it("public.ecr.aws is asked for tokens in the one region that has them", () => {
    const cloud = cloudOf("public.ecr.aws", {});
    expect(cloud).toMatchObject({ kind: "ecr", isPublic: true, region: "us-east-1" });
  });
});
