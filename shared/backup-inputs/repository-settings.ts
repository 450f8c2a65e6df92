import { structure } from "../action/index.ts";

/** A snapshot repository to register: its type, `fs` or `s3`, and the settings of that type. */
export interface RepositorySettings {
  readonly type: string;
  readonly settings: Readonly<Record<string, string>>;
}

/** `{type: s3, settings: {bucket: backups, base_path: search}}` */
export const repositorySettings = structure((whole): RepositorySettings | undefined => {
  const { type, settings } = whole.keys(["type", "settings"]);
  const name = type === undefined ? whole.refuse("the key type is missing") : type.text();
  const entries = settings?.entries() ?? [];
  const pairs = entries.map(([key, part]): [string, string] => [key, part.scalar() ?? ""]);
  return name === undefined ? undefined : { type: name, settings: Object.fromEntries(pairs) };
});
