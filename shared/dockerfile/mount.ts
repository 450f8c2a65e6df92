/** What a `RUN --mount=` needs from elsewhere. */
export interface Mount {
  /** `bind` unless it says otherwise. */
  readonly type: string;
  /** The stage or image that it takes files from; "" for the context, or for nothing. */
  readonly from: string;
  /** The path in that, or in the context; "" for all of it. */
  readonly source: string;
  /** The id of a secret. */
  readonly secret: string;
  /** Whether the build is to fail without the secret; undefined where the mount does not say. */
  readonly required: boolean | undefined;
}

/**
 * Reads `type=secret,id=npm,required`: fields with commas between, quoted as in CSV.
 *
 * Source: BuildKit, frontend/dockerfile/instructions/commands_runmount.go, and
 * dockerfile2llb/convert_secrets.go for what a secret without id is called.
 */
export function mountOf(text: string): Mount {
  const fields = new Map(
    fieldsOf(text).map((field): [string, string] => {
      const [key = "", ...value] = field.split("=");
      return [key.toLowerCase(), value.length === 0 ? "true" : value.join("=")];
    }),
  );
  const target = fields.get("target") ?? fields.get("dst") ?? fields.get("destination") ?? "";
  const source = fields.get("source") ?? fields.get("src");
  return {
    type: (fields.get("type") ?? "bind").toLowerCase(),
    from: fields.get("from") ?? "",
    source: source ?? "",
    secret: fields.get("id") ?? source ?? target.split("/").at(-1) ?? "",
    required: truth(fields.get("required")),
  };
}

function fieldsOf(text: string): readonly string[] {
  const fields = text.match(/(?:"(?:[^"]|"")*"|[^,"])+/g) ?? [];
  return fields.map((field) =>
    field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field,
  );
}

/** Source: Go's strconv.ParseBool. */
function truth(text: string | undefined): boolean | undefined {
  return text === undefined ? undefined : ["1", "t", "true"].includes(text.toLowerCase());
}
