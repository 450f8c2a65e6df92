/** What kind of object holds the configuration. */
export type ConfigKind = "Secret" | "ConfigMap";

/** One ConfigMap or Secret as the job declares it: what it is to hold, and from where. */
export interface Declaration {
  readonly kind: ConfigKind;
  readonly name: string;
  /** Of a Secret, as Kubernetes calls it: `Opaque`, `kubernetes.io/tls`, ... */
  readonly type: string | undefined;
  readonly sources: readonly Source[];
  readonly login: Login | undefined;
  readonly allowEmpty: boolean | readonly string[];
  readonly immutable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Where values come from. */
export type Source =
  | { readonly from: "literal"; readonly key: string; readonly value: string }
  | { readonly from: "variable"; readonly key: string; readonly variable: string }
  /** A file, or a folder whose files each become a key; without a key, the file's name is it. */
  | { readonly from: "file"; readonly key: string | undefined; readonly path: string }
  | { readonly from: "env-file"; readonly path: string };

/** Who signs in to a registry, for a Secret of type `kubernetes.io/dockerconfigjson`. */
export interface Login {
  readonly server: string;
  readonly username: Text;
  readonly password: Text;
  readonly email: string | undefined;
}

/** A text that is given, or found in a variable of the step. */
export type Text = { readonly literal: string } | { readonly variable: string };

/** Something that is wrong with a declaration; `path` says where. Quotes no value. */
export interface Issue {
  readonly path: readonly string[];
  readonly message: string;
}
