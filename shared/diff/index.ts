export { type DifferenceData, differenceData } from "./data.ts";
export {
  type Comparison,
  type Counts,
  type Difference,
  differenceOf,
  type ObjectChange,
} from "./difference.ts";
export type { FieldChange } from "./field-changes.ts";
export { countsText, differenceMarkdown, headlineOf, type Presentation } from "./markdown.ts";
export { differenceLines } from "./text.ts";
