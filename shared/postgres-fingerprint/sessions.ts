/** A connection that only reads; {Session} of shared/postgres is one. */
export interface Reader {
  /** Rows of one SELECT as objects. */
  query<T>(sql: string): Promise<readonly T[]>;
  /** Runs one statement for what it does. */
  run(sql: string): Promise<void>;
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

/**
 * Asks, and gives back the locks on the tables that were read: held to the end of the transaction,
 * those of thousands of tables and their indexes would fill the server's table of locks.
 */
export async function queryWithoutLocks<T>(reader: Reader, sql: string): Promise<readonly T[]> {
  await reader.run("SAVEPOINT fingerprint");
  const rows = await reader.query<T>(sql);
  await reader.run("ROLLBACK TO SAVEPOINT fingerprint");
  await reader.run("RELEASE SAVEPOINT fingerprint");
  return rows;
}
