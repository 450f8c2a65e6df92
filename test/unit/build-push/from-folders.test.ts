import { expect, it } from "@jest/globals";
import { patternsIn } from "../../../actions/build-push/from-folders.ts";

it.each([
  ["services/*", ["services/*"]],
  ["a/*\n b/* \r\n\nc", ["a/*", "b/*", "c"]],
  ["a/*, b/*", ["a/*", "b/*"]],
  ["services/{a,b}\nx,y/{c,d}/*", ["services/{a,b}", "x", "y/{c,d}/*"]],
  [" , ", []],
])("reads patterns of folders: %j", (text, expected) => {
  expect(patternsIn(text)).toEqual(expected);
});
