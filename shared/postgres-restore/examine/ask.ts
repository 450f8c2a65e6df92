import { type Session, SqlFailed } from "../../postgres/index.ts";
import type { Finding } from "../../proof/index.ts";
import { type ApplicationQuery, type QueryAnswer, unmet } from "./application-queries.ts";

const TIMEOUT_MS = 60_000;

/**
 * Asks the application's questions of a restored database, each in a transaction that only reads
 * and is given a minute.
 */
export async function askQueries(
  session: Session,
  queries: readonly ApplicationQuery[],
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const query of queries) {
    const problem = await ask(session, query);
    if (problem !== undefined) {
      findings.push({
        detector: "query",
        tier: "full",
        weight: "damage",
        subject: `query ${query.name}`,
        what: `The application's query does not get the answer that it must: ${problem}.`,
      });
    }
  }
  return findings;
}

async function ask(
  session: Session,
  { sql, expect }: ApplicationQuery,
): Promise<string | undefined> {
  await session.run("BEGIN READ ONLY");
  try {
    await session.run(`SET LOCAL statement_timeout = ${TIMEOUT_MS}`);
    await session.run('SET LOCAL search_path = "$user", public');
    const [answer] = await session.query<QueryAnswer & { readonly none: boolean }>(
      `WITH answer AS MATERIALIZED (\n${sql}\n), numbered AS (SELECT pg_catalog.row_to_json(answer) AS content FROM answer LIMIT 1)
       SELECT (SELECT count(*) FROM answer) AS rows,
              (SELECT value FROM numbered, pg_catalog.json_each_text(content) LIMIT 1) AS first,
              NOT EXISTS (SELECT 1 FROM answer) AS none`,
    );
    if (answer === undefined) return "it gave nothing";
    return unmet(expect, { rows: answer.rows, first: answer.none ? undefined : answer.first });
  } catch (error) {
    if (!(error instanceof SqlFailed)) throw error;
    if (error.sqlstate === "57014") return `it took longer than ${TIMEOUT_MS / 1_000} s`;
    return `the server refused it: ${error.said.replace(/\.$/, "")}`;
  } finally {
    await session.run("ROLLBACK").catch(() => {});
  }
}
