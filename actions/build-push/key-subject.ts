import type { KeySubject } from "../../shared/content-key/index.ts";
import type { PlacedBuild, PlacedService } from "./sources.ts";
import type { Step } from "./step.ts";

/** What shapes the image of a service: all that its content key is made of. */
export function keySubjectOf(service: PlacedService, { options, order }: Step): KeySubject {
  const subject = buildSubjectOf(service);
  const { provenance = options.provenance, sbom = options.sbom } = service;
  return {
    ...subject,
    settings: {
      ...subject.settings,
      // Those of the commit are not counted: an image that is used again keeps its own.
      ...texts("label", order.naming.labelsOf(service).stable),
      ...texts("annotation", order.naming.annotationsOf(service).stable),
      ...texts("exporter", service.exporter),
      provenance,
      sbom: sbom ? (options.sbomGenerator ?? "true") : "false",
      // What is found under a key was searched for secrets, unless the key says otherwise.
      ...(options.secretSearch ? {} : { "secret-search": "false" }),
    },
  };
}

/** The same of what is built only because others build upon it. */
export function buildSubjectOf(build: PlacedBuild): KeySubject {
  const { context, dockerfile, dockerfileInline, dockerfileShown, target } = build;
  const { buildArgs, secrets, ssh, platforms, contexts } = build;
  const { network, extraHosts, shmSize, ulimits, entitlements } = build;
  return {
    ...{ context, dockerfile, dockerfileShown, target, buildArgs, platforms, contexts },
    dockerfileText: dockerfileInline,
    secrets: secrets.map(({ id }) => id),
    ssh: ssh.map(({ id }) => id),
    settings: {
      ...(network === undefined ? {} : { network }),
      ...(shmSize === undefined ? {} : { "shm-size": shmSize }),
      ...texts("host", extraHosts),
      ...(ulimits.length === 0 ? {} : { ulimits: ulimits.join(" ") }),
      ...(entitlements.length === 0 ? {} : { entitlements: entitlements.join(" ") }),
    },
  };
}

function texts(kind: string, given: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    Object.entries(given).map(([name, text]) => [`${kind} ${name}`, text] as const),
  );
}
