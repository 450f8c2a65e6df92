export { type JunitCase, junitDocument } from "./junit.ts";
