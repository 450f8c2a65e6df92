import type { BrokenCase, Objects, Place } from "../case.ts";
import { daemonSet, deployment, job, statefulSet } from "../objects.ts";
import { imageMissing } from "../signs.ts";

const running: Objects = (place) => [deployment(place, "web", { replicas: 2 })];

/** A first install whose image is that, or a new revision over one that runs. */
const withImage =
  (image: (place: Place) => string, more: object = {}): Objects =>
  (place) => [deployment(place, "web", { container: { image: image(place), ...more } })];

const web = { awaits: ["deployment/web"], sign: imageMissing, grace: "none" } as const;

/** Images that do not come. */
export const images: readonly BrokenCase[] = [
  {
    ...web,
    name: "image-not-found",
    from: running,
    to: (place) => [
      deployment(place, "web", {
        replicas: 2,
        container: { image: `${place.registry}/corpus/none:2` },
      }),
    ],
    reason: "ImageNotFound",
    words: ["corpus/none:2", "not found"],
  },
  {
    ...web,
    name: "image-tag-missing",
    to: withImage(({ image }) => image.replace(/:[^:]*$/, ":no-such-tag")),
    reason: "ImageNotFound",
    words: [":no-such-tag", "not found"],
  },
  {
    ...web,
    name: "image-digest-missing",
    from: running,
    to: withImage(({ image }) => image.replace(/:[^:]*$/, `@sha256:${"0".repeat(63)}1`)),
    reason: "ImageNotFound",
    words: ["@sha256:000", "not found"],
  },
  {
    ...web,
    name: "image-name-invalid",
    to: withImage(() => "Shop/Web:V2"),
    reason: "ImageNameInvalid",
    words: ["Shop/Web:V2"],
  },
  {
    ...web,
    name: "image-never-pulled",
    to: withImage(({ registry }) => `${registry}/corpus/local:1`, { imagePullPolicy: "Never" }),
    reason: "ImageNotFound",
    words: ["corpus/local:1"],
  },
  {
    ...web,
    name: "image-denied",
    to: withImage(({ misbehaving }) => misbehaving("denied")),
    reason: "ImagePullDenied",
    words: ["/denied/"],
  },
  {
    ...web,
    name: "image-forbidden",
    from: running,
    to: withImage(({ misbehaving }) => misbehaving("forbidden")),
    reason: "ImagePullDenied",
    words: ["/forbidden/", "403"],
  },
  {
    ...web,
    name: "image-of-other-platform",
    to: withImage(({ misbehaving }) => misbehaving("foreign")),
    reason: "ImageNotFound",
    words: ["/foreign/", "no match for platform"],
  },
  {
    ...web,
    name: "registry-failing",
    from: running,
    to: withImage(({ misbehaving }) => misbehaving("failing")),
    grace: "imagePull",
    reason: "ImagePull",
    words: ["/failing/", "503"],
  },
  {
    ...web,
    name: "registry-away",
    to: withImage(() => "127.0.0.1:9/shop/web:1"),
    grace: "imagePull",
    reason: "ImagePull",
    words: ["127.0.0.1:9", "connection refused"],
  },
  {
    ...web,
    name: "image-of-second-container",
    to: (place) => [
      deployment(place, "web", {
        pod: {
          containers: [
            { name: "main", image: place.image, command: ["sleep", "600"] },
            { name: "proxy", image: `${place.registry}/corpus/proxy:1` },
          ],
        },
      }),
    ],
    reason: "ImageNotFound",
    words: ['"proxy"', "corpus/proxy:1"],
  },
  {
    ...web,
    name: "image-of-init-container",
    to: (place) => [
      deployment(place, "web", {
        pod: { initContainers: [{ name: "migrate", image: `${place.registry}/corpus/init:1` }] },
      }),
    ],
    reason: "ImageNotFound",
    words: ['"migrate"', "corpus/init:1"],
  },
  {
    ...web,
    name: "image-of-statefulset",
    awaits: ["statefulset/db"],
    from: (place) => [statefulSet(place, "db", { replicas: 2 })],
    to: (place) => [
      statefulSet(place, "db", {
        replicas: 2,
        container: { image: `${place.registry}/corpus/none:3` },
      }),
    ],
    reason: "ImageNotFound",
    words: ["db-1", "corpus/none:3"],
  },
  {
    ...web,
    name: "image-of-daemonset",
    awaits: ["daemonset/agent"],
    from: (place) => [daemonSet(place, "agent")],
    to: (place) => [
      daemonSet(place, "agent", { container: { image: `${place.registry}/corpus/none:4` } }),
    ],
    reason: "ImageNotFound",
    words: ["corpus/none:4"],
  },
  {
    ...web,
    name: "image-of-job",
    awaits: ["job/migrate"],
    to: (place) => [
      job(place, "migrate", { container: { image: `${place.registry}/corpus/none:5` } }),
    ],
    reason: "ImageNotFound",
    words: ["corpus/none:5"],
  },
];
