export { inexactInteger, sameJson } from "./json-equality.ts";
export {
  formatJsonPath,
  type JsonPath,
  nature,
  parseJsonPath,
  type Selection,
  select,
} from "./json-path.ts";
export { type JsonQuery, parseJsonQuery, selectAll } from "./json-query.ts";
