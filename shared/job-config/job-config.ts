import type { ConfigKind, Declaration } from "./declaration.ts";

/** A ConfigMap or Secret with what it is to hold. */
export interface ConfigObject {
  readonly kind: ConfigKind;
  readonly name: string;
  /** Of a Secret. */
  readonly type: string | undefined;
  /** By keys, in the order of their names. */
  readonly content: ReadonlyMap<string, Buffer>;
  readonly immutable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** `secret/db-secrets`, as people and kubectl write it. */
export function titleOf({ kind, name }: Pick<Declaration, "kind" | "name">): string {
  return `${kind.toLowerCase()}/${name}`;
}
