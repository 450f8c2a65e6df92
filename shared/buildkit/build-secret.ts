/** A secret for the build alone: it is in no layer and in no argument. */
export type BuildSecret =
  | { readonly id: string; readonly variable: string }
  | { readonly id: string; readonly file: string };
