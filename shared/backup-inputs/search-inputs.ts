import { type Inputs, text, words, yaml } from "../action/index.ts";
import { repositorySettings } from "./repository-settings.ts";

/** The inputs that lead to indices of OpenSearch or Elasticsearch, beside the cluster's address. */
export const searchInputs = {
  indices: words({ accepts: "patterns of indices, by white space or commas" }),
  repository: text({ accepts: "the name of a snapshot repository" }, /^[\w.-]+$/),
  "repository-settings": yaml(repositorySettings, {
    accepts: "type and settings of a snapshot repository",
  }),
  "api-key": text({ secret: true, accepts: "an API key of the cluster" }),
} satisfies Inputs;
