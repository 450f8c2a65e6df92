export { type Connection, environmentOf } from "./connection.ts";
export { openSession, type Session, type SessionOptions } from "./session.ts";
export { quoteIdentifier, quoteLiteral, quoteQualified } from "./sql.ts";
export { SqlFailed } from "./sql-failed.ts";
