/** One step of a way into an object: a key of a mapping, or an item of a list by what names it. */
export type Step = string | { readonly item: string };
export type Path = readonly Step[];

/** `spec.containers[web].env[MODE].value`, `metadata.annotations["example.com/note"]`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step !== "string") return `${text}[${step.item}]`;
    if (!/^[\w-]+$/.test(step)) return `${text}[${JSON.stringify(step)}]`;
    return text === "" ? step : `${text}.${step}`;
  }, "");
}
