import { expect, it } from "@jest/globals";
import { referrersIn } from "../../../shared/registry/referrers.ts";
import { nextPage } from "../../../shared/registry/tag-list.ts";

it.each<[string | undefined, string | undefined]>([
  ['</v2/a/tags/list?n=2&last=b>; rel="next"', "/v2/a/tags/list?n=2&last=b"],
  ["</x>;rel=next", "/x"],
  ['</x>; title="a, b"; rel="prev next"', "/x"],
  ['</a>; rel="prev", </b>; rel="next"', "/b"],
  ['</a>; rel="nextish"', undefined],
  ["</a>", undefined],
  ["", undefined],
  [undefined, undefined],
])("the next page of %s is %s", (header, expected) => {
  expect(nextPage(header)).toBe(expected);
});

it.each(["", "{}", "[]", "null", '{"manifests":null}', '{"manifests":[null,{}]}'])(
  "nothing refers to anything in %s",
  (text) => {
    expect(referrersIn(text)).toEqual([]);
  },
);
