export { GitHub, type GitHubAccess } from "./github.ts";
