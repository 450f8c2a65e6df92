export { type Clients, findClients, findPsql } from "./clients.ts";
export { type Connection, environmentOf } from "./connection.ts";
export { connectionFailure } from "./connection-failure.ts";
export { parseUrl, withParameters } from "./conninfo.ts";
export { type ConnectionSettings, type Reach, reach } from "./reach.ts";
export { type ServerFacts, type Standby, serverFacts } from "./server-facts.ts";
export { type Endpoint, openSession, type Session, type SessionOptions } from "./session.ts";
export { quoteIdentifier, quoteLiteral, quoteQualified } from "./sql.ts";
export { SqlFailed } from "./sql-failed.ts";
