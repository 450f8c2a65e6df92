/** For each rule of .dependency-cruiser.js, sources that break it. */
export const violations: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "no-cycles": {
    "shared/dns/index.ts": 'import "./zone.ts";',
    "shared/dns/zone.ts": 'import "./index.ts";',
  },
  "no-unresolvable": { "shared/dns/index.ts": 'import "./missing.ts";' },
  "actions-stand-alone": {
    "actions/a-b/main.ts": 'import type { X } from "../c-d/main.ts"; export type Y = X;',
    "actions/c-d/main.ts": "export type X = 1;",
  },
  "nouns-know-no-actions": {
    "shared/dns/index.ts": 'import "../../actions/a-b/main.ts";',
    "actions/a-b/main.ts": "export {};",
  },
  "nouns-know-no-runner": {
    "shared/dns/index.ts": 'import "../action/index.ts";',
    "shared/action/index.ts": "export {};",
  },
  "nouns-by-their-face-from-actions": {
    "actions/a-b/main.ts": 'import "../../shared/dns/zone.ts";',
    "shared/dns/zone.ts": "export {};",
  },
  "nouns-by-their-face-from-nouns": {
    "shared/storage/index.ts": 'import "../dns/zone.ts";',
    "shared/dns/zone.ts": "export {};",
  },
  "product-knows-no-tests": {
    "shared/dns/index.ts": 'import "../../test/bed.ts";',
    "test/bed.ts": "export {};",
  },
  "one-door-to-the-runner": { "shared/dns/index.ts": 'import "@actions/core";' },
  "one-door-to-programs": { "shared/dns/index.ts": 'import "node:child_process";' },
  "one-door-to-tools": { "shared/dns/index.ts": 'import "@actions/tool-cache";' },
  "one-door-to-github": { "shared/dns/index.ts": 'import "@actions/github";' },
  "one-door-to-kubernetes": {
    "shared/dns/index.ts":
      'import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";\nexport type K = KubeConfig;',
  },
  "no-generated-kubernetes-classes": {
    "shared/kubernetes/index.ts": 'import "@kubernetes/client-node";',
  },
};
