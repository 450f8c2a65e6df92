import { FormatError } from "../failure/index.ts";

const MONTHS = [
  ...["January", "February", "March", "April", "May", "June", "July", "August", "September"],
  ...["October", "November", "December"],
];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const DAY_MS = 86_400_000;

/** A moment with the clock of a time zone: `local` read as if it were UTC shows that clock. */
interface Moment {
  readonly at: number;
  readonly local: Date;
}

/** What each token stands for. Source: momentjs.com/docs, "Format". */
const TOKENS: Readonly<Record<string, (moment: Moment) => string>> = {
  YYYY: ({ local }) => padded(local.getUTCFullYear(), 4),
  YY: ({ local }) => padded(local.getUTCFullYear() % 100, 2),
  Qo: ({ local }) => ordinal(quarter(local)),
  Q: ({ local }) => String(quarter(local)),
  MMMM: ({ local }) => MONTHS[local.getUTCMonth()] ?? "",
  MMM: ({ local }) => (MONTHS[local.getUTCMonth()] ?? "").slice(0, 3),
  MM: ({ local }) => padded(local.getUTCMonth() + 1, 2),
  Mo: ({ local }) => ordinal(local.getUTCMonth() + 1),
  M: ({ local }) => String(local.getUTCMonth() + 1),
  DDDD: ({ local }) => padded(dayOfYear(local), 3),
  DDDo: ({ local }) => ordinal(dayOfYear(local)),
  DDD: ({ local }) => String(dayOfYear(local)),
  DD: ({ local }) => padded(local.getUTCDate(), 2),
  Do: ({ local }) => ordinal(local.getUTCDate()),
  D: ({ local }) => String(local.getUTCDate()),
  dddd: ({ local }) => DAYS[local.getUTCDay()] ?? "",
  ddd: ({ local }) => (DAYS[local.getUTCDay()] ?? "").slice(0, 3),
  dd: ({ local }) => (DAYS[local.getUTCDay()] ?? "").slice(0, 2),
  do: ({ local }) => ordinal(local.getUTCDay()),
  d: ({ local }) => String(local.getUTCDay()),
  E: ({ local }) => String(local.getUTCDay() || 7),
  GGGG: ({ local }) => padded(isoWeek(local).year, 4),
  WW: ({ local }) => padded(isoWeek(local).week, 2),
  Wo: ({ local }) => ordinal(isoWeek(local).week),
  W: ({ local }) => String(isoWeek(local).week),
  HH: ({ local }) => padded(local.getUTCHours(), 2),
  H: ({ local }) => String(local.getUTCHours()),
  hh: ({ local }) => padded(local.getUTCHours() % 12 || 12, 2),
  h: ({ local }) => String(local.getUTCHours() % 12 || 12),
  kk: ({ local }) => padded(local.getUTCHours() || 24, 2),
  k: ({ local }) => String(local.getUTCHours() || 24),
  mm: ({ local }) => padded(local.getUTCMinutes(), 2),
  m: ({ local }) => String(local.getUTCMinutes()),
  ss: ({ local }) => padded(local.getUTCSeconds(), 2),
  s: ({ local }) => String(local.getUTCSeconds()),
  SSS: ({ local }) => padded(local.getUTCMilliseconds(), 3),
  SS: ({ local }) => padded(local.getUTCMilliseconds(), 3).slice(0, 2),
  S: ({ local }) => padded(local.getUTCMilliseconds(), 3).slice(0, 1),
  A: ({ local }) => (local.getUTCHours() < 12 ? "AM" : "PM"),
  a: ({ local }) => (local.getUTCHours() < 12 ? "am" : "pm"),
  ZZ: (moment) => offset(moment, ""),
  Z: (moment) => offset(moment, ":"),
  X: ({ at }) => String(Math.floor(at / 1_000)),
  x: ({ at }) => String(at),
};

// A text in brackets, a token, or another letter that stands for something in moment.js.
const PARTS =
  /\[([^\]]*)\]|(YYYY(?!Y)|YY(?!YYY)|Qo|Q|Mo|M{1,4}|DDDD|DDDo|DDD|Do|DD|D|do|d{1,4}|E|GGGG(?!G)|Wo|WW|W|HH|H|hh|h|kk|k|mm|m|ss|s|SSS(?!S)|SS(?!SS)|S(?!SSS)|A|a|ZZ|Z|X|x)|(Y+|S+|G+|[egLlNwyz]+)/g;

/**
 * A date in a format of moment.js: `YYYYMMDD-HHmmss`, `dddd, MMMM Do YYYY`, text in `[brackets]`.
 *
 * @param at milliseconds since the Unix epoch
 * @param zone a name of the IANA's time zones, such as `Asia/Tokyo`
 * @throws {FormatError} for a format or zone that is not known.
 */
export function formatDate(at: number, format: string, zone = "UTC"): string {
  const moment = { at, local: new Date(at + offsetOf(at, zone)) };
  return format.replace(PARTS, (part, literal?: string, token?: string, refused?: string) => {
    if (literal !== undefined) return literal;
    if (refused !== undefined) {
      throw new FormatError(
        `the date format ${JSON.stringify(format)} has ${JSON.stringify(refused)}, which is not known here; known are ${Object.keys(TOKENS).join(" ")} and [text]`,
      );
    }
    return TOKENS[token ?? ""]?.(moment) ?? part;
  });
}

/** How far the zone's clock is ahead of UTC at that time, in milliseconds. */
function offsetOf(at: number, zone: string): number {
  if (/^(UTC|GMT|Etc\/UTC|Z)$/i.test(zone)) return 0;
  const fields = zoneFormat(zone).formatToParts(at);
  const [year = 0, month = 1, day, hour, minute, second] = [
    ...["year", "month", "day", "hour", "minute", "second"],
  ].map((type) => Number(fields.find((field) => field.type === type)?.value));
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  return local - Math.floor(at / 1_000) * 1_000;
}

function zoneFormat(timeZone: string): Intl.DateTimeFormat {
  const [number, hourCycle] = ["numeric", "h23"] as const;
  const clock = { hour: number, minute: number, second: number, hourCycle } as const;
  const day = { year: number, month: number, day: number } as const;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone, ...day, ...clock });
  } catch {
    throw new FormatError(
      `${JSON.stringify(timeZone)} is no time zone; one is written like Europe/Berlin`,
    );
  }
}

function offset({ at, local }: Moment, separator: string): string {
  const minutes = Math.round((local.getTime() - at) / 60_000);
  const [sign, size] = [minutes < 0 ? "-" : "+", Math.abs(minutes)];
  return `${sign}${padded(Math.floor(size / 60), 2)}${separator}${padded(size % 60, 2)}`;
}

function quarter(local: Date): number {
  return Math.floor(local.getUTCMonth() / 3) + 1;
}

function dayOfYear(local: Date): number {
  return Math.floor((local.getTime() - Date.UTC(local.getUTCFullYear(), 0)) / DAY_MS) + 1;
}

/** Source: ISO 8601: the first week of a year is the one with its first Thursday. */
function isoWeek(local: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(local.getTime() + (4 - (local.getUTCDay() || 7)) * DAY_MS);
  return {
    year: thursday.getUTCFullYear(),
    week: Math.floor((dayOfYear(thursday) - 1) / 7) + 1,
  };
}

function ordinal(number: number): string {
  const teen = number % 100 > 10 && number % 100 < 14;
  const ending = teen ? undefined : ["th", "st", "nd", "rd"][number % 10];
  return `${number}${ending ?? "th"}`;
}

function padded(number: number, length: number): string {
  return String(number).padStart(length, "0");
}
