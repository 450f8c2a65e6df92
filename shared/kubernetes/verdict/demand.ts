/** What a user demands of an object, as the flag --for of `kubectl wait` says it. */
export type Demand = {
  readonly kind: "condition";
  /** As the user wrote it. */
  readonly text: string;
  /** Type of the condition. */
  readonly type: string;
  /** Its status: `True` where none is given. */
  readonly status: string;
};
