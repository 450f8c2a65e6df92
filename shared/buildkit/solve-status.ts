/** A node of BuildKit's graph of work. Source: moby/buildkit, client/graph.go. */
export interface Vertex {
  readonly digest: string;
  readonly name: string;
  readonly started?: string;
  readonly completed?: string;
  readonly cached?: boolean;
  readonly error?: string;
}

/** A part of a vertex's work: a layer that is exported, a manifest that is pushed. */
export interface VertexStatus {
  readonly id: string;
  readonly vertex: string;
  readonly current?: number;
  readonly completed?: string;
}

/** One line of `--progress=rawjson`, what BuildKit calls a SolveStatus. */
export interface SolveStatus {
  readonly vertexes?: readonly Vertex[];
  readonly statuses?: readonly VertexStatus[];
  readonly logs?: readonly {
    readonly vertex: string;
    /** 1 is standard output, 2 standard error. */
    readonly stream?: number;
    /** Base64. */
    readonly data?: string;
  }[];
  readonly warnings?: readonly {
    readonly vertex?: string;
    /** Base64. */
    readonly short?: string;
    readonly range?: readonly { readonly start?: { readonly line?: number } }[] | null;
  }[];
}

/** Undefined for a line that is no status: buildx words its errors in plain text between them. */
export function parseStatus(line: string): SolveStatus | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as SolveStatus;
  } catch {
    return undefined;
  }
}
