import {
  boolYaml11Tag,
  CORE_SCHEMA,
  defineScalarTag,
  floatCoreTag,
  mergeTag,
  NOT_RESOLVED,
} from "js-yaml";

/**
 * YAML as kubectl reads it, which is neither that of 1.1 nor that of 1.2: `yes` and `on` are truth
 * values, `0644` is octal, a date is text, and `1:30` is no number. Source: resolve.go of the YAML
 * library that sigs.k8s.io/yaml carries.
 */
export const KUBERNETES_SCHEMA = CORE_SCHEMA.withTags(
  mergeTag,
  boolYaml11Tag,
  defineScalarTag<number>("tag:yaml.org,2002:int", {
    implicit: true,
    implicitFirstChars: ["-", "+", ..."0123456789"],
    resolve: (source) => integerOf(source) ?? NOT_RESOLVED,
    identify: (value) => Number.isInteger(value),
  }),
  defineScalarTag<number>("tag:yaml.org,2002:float", {
    ...floatCoreTag,
    // What JSON cannot say is no number for an API server either.
    resolve: (source, isExplicit, tagName) => {
      const value = floatCoreTag.resolve(source, isExplicit, tagName);
      return typeof value === "number" && Number.isFinite(value) ? value : NOT_RESOLVED;
    },
  }),
);

const INTEGER =
  /^(?<sign>[-+]?)(?:0[xX](?<hex>[0-9a-fA-F_]+)|0[bB](?<binary>[01_]+)|0[oO]?(?<octal>[0-7_]+)|(?<decimal>[1-9][0-9_]*|0))$/;

/** The whole number that a plain scalar stands for; undefined when it is none. */
export function integerOf(source: string): number | undefined {
  const parts = INTEGER.exec(source)?.groups;
  if (parts === undefined) return undefined;
  const { sign, hex, binary, octal, decimal } = parts;
  const value = [
    [hex, 16],
    [binary, 2],
    [octal, 8],
    [decimal, 10],
  ] as const;
  const [digits, base] = value.find(([text]) => text !== undefined) ?? ["", 10];
  const size = Number.parseInt((digits ?? "").replaceAll("_", ""), base);
  if (!Number.isFinite(size)) return undefined;
  return sign === "-" ? -size : size;
}
