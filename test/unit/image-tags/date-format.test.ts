import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { formatDate } from "../../../shared/image-tags/date-format.ts";

const AFTERNOON = Date.UTC(2020, 0, 10, 15, 25, 50, 7);
const NEW_YEAR = Date.UTC(2021, 0, 1, 0, 0, 0);

const cases: [number, string, string, string][] = [
  [AFTERNOON, "YYYYMMDD", "UTC", "20200110"],
  [AFTERNOON, "dddd, MMMM Do YYYY, h:mm:ss a", "UTC", "Friday, January 10th 2020, 3:25:50 pm"],
  [AFTERNOON, "YYYY-MM-DDTHH:mm:ss.SSS[Z]", "UTC", "2020-01-10T15:25:50.007Z"],
  [AFTERNOON, "YYYYMMDD-HHmmss", "Asia/Tokyo", "20200111-002550"],
  [AFTERNOON, "Z ZZ", "America/St_Johns", "-03:30 -0330"],
  [
    AFTERNOON,
    "YY.M.D DDD DDDD Q dd ddd d E X x",
    "UTC",
    "20.1.10 10 010 1 Fr Fri 5 5 1578669950 1578669950007",
  ],
  [AFTERNOON, "[week] W [of] GGGG", "UTC", "week 2 of 2020"],
  [AFTERNOON, "Mo Do DDDo do Qo Wo", "UTC", "1st 10th 10th 5th 1st 2nd"],
  [NEW_YEAR, "GGGG-[W]WW", "UTC", "2020-W53"],
  [NEW_YEAR, "HH H hh h kk k A", "UTC", "00 0 12 12 24 24 AM"],
  [NEW_YEAR, "YYYYMMDD HH:mm Z", "Europe/Berlin", "20210101 01:00 +01:00"],
  [Date.UTC(2020, 6, 2), "Do MMM Z", "Europe/Berlin", "2nd Jul +02:00"],
  [Date.UTC(2020, 6, 12), "Do", "UTC", "12th"],
  [Date.UTC(2020, 6, 23), "Do", "UTC", "23rd"],
];

test.each(cases)("%d as %s in %s is %s", (at, format, zone, text) => {
  expect(formatDate(at, format, zone)).toBe(text);
});

test("a day of UTC is what ISO 8601 says it is", () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date(0), max: new Date("2200-01-01"), noInvalidDate: true }),
      (date) => {
        const text = formatDate(date.getTime(), "YYYY-MM-DD[T]HH:mm:ss.SSS[Z]");
        expect(text).toBe(date.toISOString());
      },
    ),
  );
});

test.each(["w", "gggg", "LT", "z", "YYYYYY", "Y", "SSSS", "GG"])(
  "the token %s is refused",
  (token) => {
    expect(() => formatDate(0, token)).toThrow("not known here");
  },
);
