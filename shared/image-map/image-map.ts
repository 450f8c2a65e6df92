/** An image that was built and pushed. */
export interface BuiltImage {
  /** Without tag or digest: `registry.example/shop/api`. */
  readonly repository: string;
  readonly tag?: string | undefined;
  /** `sha256:...`, as the registry reports it. */
  readonly digest: string;
}

/** Images by the names of their services. */
export type ImageMap = Readonly<Record<string, BuiltImage>>;

type Parsed =
  | { readonly success: true; readonly data: ImageMap }
  | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } };

type Issue = { readonly path: readonly string[]; readonly message: string };

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const REPOSITORY = /^[a-z0-9._:/-]+$/i;
const TAG = /^\w[\w.-]{0,127}$/;

/** The digest map of build-push. Fields that are not needed here are passed over. */
export const imageMap = {
  safeParse(value: unknown): Parsed {
    if (!isRecord(value)) return rejected([{ path: [], message: "it is no map of services" }]);
    const issues = Object.entries(value).flatMap(([service, image]) => problems(service, image));
    if (issues.length > 0) return rejected(issues);
    const images = Object.entries(value as ImageMap).map(
      ([service, { repository, tag, digest }]) =>
        [service, { repository, digest, ...(tag ? { tag } : {}) }] as const,
    );
    return { success: true, data: Object.fromEntries(images) };
  },
};

function problems(service: string, image: unknown): readonly Issue[] {
  if (!isRecord(image)) return [{ path: [service], message: "it is no map" }];
  const { repository, tag, digest } = image;
  const issues: Issue[] = [];
  if (typeof repository !== "string" || !REPOSITORY.test(repository)) {
    issues.push({ path: [service, "repository"], message: "it must be host/path without a tag" });
  }
  if (typeof digest !== "string" || !DIGEST.test(digest)) {
    issues.push({ path: [service, "digest"], message: "it must be sha256: and 64 hex digits" });
  }
  if (tag !== undefined && tag !== "" && (typeof tag !== "string" || !TAG.test(tag))) {
    issues.push({ path: [service, "tag"], message: "it is no tag" });
  }
  return issues;
}

function rejected(issues: readonly Issue[]): Parsed {
  return { success: false, error: { issues } };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
