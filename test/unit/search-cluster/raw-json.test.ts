import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { elementsAt, membersAt } from "../../../shared/search-cluster/raw-json.ts";

describe("values of a text of JSON, as they stand there", () => {
  it("are what parsing the whole gives, for any object", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(4), (object, indent) => {
        const text = Buffer.from(JSON.stringify(object, null, indent));
        const found = [...membersAt(text, 0)].map(([name, { from, to }]) => [
          name,
          JSON.parse(text.toString("utf8", from, to)) as unknown,
        ]);
        expect(found).toEqual(Object.entries(JSON.parse(text.toString("utf8")) as object));
      }),
    );
  });

  it("keep numbers and spaces that parsing would change", () => {
    const text = Buffer.from('{ "a" : [ 1234567890123456789 , 1.0,"\\\\\\"]" ] }');
    const [[, array] = ["", { from: 0, to: 0 }]] = [...membersAt(text, 0)];
    const values = [...elementsAt(text, array.from)].map(({ from, to }) =>
      text.toString("utf8", from, to),
    );
    expect(values).toEqual(["1234567890123456789", "1.0", '"\\\\\\"]"']);
  });

  it.each(['{"a":', '{"a":"b', "[1,2", '{"a" 1}', "{", '{"a":1 "b":2}', ""])(
    "are refused where the text is %j",
    (text) => {
      const buffer = Buffer.from(text);
      const read = text.startsWith("[") ? elementsAt : membersAt;
      expect(() => [...(read(buffer, 0) as Iterable<unknown>)]).toThrow(SyntaxError);
    },
  );
});
