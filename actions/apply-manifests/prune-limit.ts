import { type Field, Rejection, text } from "../../shared/action/index.ts";

/** The most that may be deleted in one run; where both are given, both must be kept to. */
export interface PruneLimit {
  readonly count?: number | undefined;
  readonly percent?: number | undefined;
}

/** `10`, `50%`, or both: `10, 50%`. */
export function pruneLimit(presence: { readonly default: string }): Field<PruneLimit> {
  const accepts = "a number of objects, a percentage of the set, or both, such as 10, 50%";
  return {
    ...text({ ...presence, accepts }),
    parse(raw) {
      const words = raw.split(/[\s,]+/).filter((word) => word !== "");
      const counts = words.filter((word) => /^\d{1,6}$/.test(word));
      const shares = words.filter((word) => /^(100|\d{1,2})%$/.test(word));
      if (words.length === 0 || counts.length + shares.length !== words.length) {
        throw new Rejection("it has another form");
      }
      if (counts.length > 1 || shares.length > 1) throw new Rejection("it says one thing twice");
      const [count, percent] = [counts[0], shares[0]?.slice(0, -1)];
      return {
        ...(count === undefined ? {} : { count: Number(count) }),
        ...(percent === undefined ? {} : { percent: Number(percent) }),
      };
    },
  };
}
