/** A connection that only reads; {Session} of shared/postgres is one. */
export interface Reader {
  /** Rows of one SELECT as objects. */
  query<T>(sql: string): Promise<readonly T[]>;
  close(): Promise<void>;
}

/** Opens connections that all see the same snapshot. */
export interface Sessions {
  open(): Promise<Reader>;
}

/** A table or another object of a schema, by the names that the catalog holds. */
export interface Named {
  readonly schema: string;
  readonly name: string;
}
