import { parsed } from "./papers.ts";

/** The raw form of manifests, as far as it concerns where secrets may stand. */
interface RawManifest {
  readonly manifests?: readonly RawDescriptor[];
  readonly config?: RawDescriptor;
  readonly layers?: readonly RawDescriptor[];
  readonly artifactType?: string;
}

interface RawDescriptor {
  readonly digest?: string;
  readonly mediaType?: string;
  readonly size?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: {
    readonly os?: string;
    readonly architecture?: string;
    readonly variant?: string;
  };
  readonly urls?: readonly string[];
}

/** What a manifest leads to. */
export interface Contents {
  readonly manifests: readonly { readonly digest: string; readonly platform: string | undefined }[];
  readonly config: string | undefined;
  readonly layers: readonly { readonly digest: string; readonly elsewhere: boolean }[];
  /** Statements about an image, such as its provenance. */
  readonly statements: readonly { readonly digest: string; readonly predicate: string }[];
}

const STATEMENT = /in-toto|dsse|sigstore/i;

/** Reads a manifest; what it lacks counts as empty. */
export function contentsOf(text: string): Contents {
  const raw = (parsed(text) ?? {}) as RawManifest;
  const layers = (raw.layers ?? []).filter(({ digest }) => digest !== undefined);
  const isStatement = ({ mediaType = "" }: RawDescriptor) => STATEMENT.test(mediaType);
  return {
    manifests: (raw.manifests ?? []).flatMap(({ digest, platform }) =>
      digest === undefined ? [] : [{ digest, platform: platformOf(platform) }],
    ),
    config: raw.config?.digest,
    layers: layers
      .filter((layer) => !isStatement(layer))
      .map(({ digest = "", urls = [] }) => ({ digest, elsewhere: urls.length > 0 })),
    statements: layers.filter(isStatement).map(({ digest = "", annotations = {} }) => {
      return { digest, predicate: annotations["in-toto.io/predicate-type"] ?? "" };
    }),
  };
}

/** Attestations hang on as images for no known system. */
function platformOf(given: RawDescriptor["platform"]): string | undefined {
  const { os, architecture, variant } = given ?? {};
  if (!os || !architecture || os === "unknown") return undefined;
  return [os, architecture, variant].filter(Boolean).join("/");
}

interface RawConfig {
  readonly history?: readonly {
    readonly created_by?: string;
    readonly comment?: string;
    readonly empty_layer?: boolean;
  }[];
}

/**
 * The instructions that made an image's layers, first layer first. A base image may tell of none of
 * its own, so they are matched from the last one on. BuildKit makes up for the
 * number by entries of its own at the end, which no Dockerfile says.
 */
export function instructionsOf(config: string, layers: number): readonly (string | undefined)[] {
  const { history } = (parsed(config) ?? {}) as RawConfig;
  const made = (Array.isArray(history) ? history : []).filter(
    ({ empty_layer: empty, comment }) =>
      empty !== true && !/^buildkit\.exporter/.test(comment ?? ""),
  );
  const told = made.slice(-layers || made.length).map(({ created_by: by }) => by);
  return [...Array<undefined>(Math.max(0, layers - told.length)).fill(undefined), ...told];
}
