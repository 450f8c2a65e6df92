/**
 * What changes how values are written, what rows are seen, or how long anything may take, fixed as
 * pg_dump does it, so that the same contents give the same text from every server.
 *
 * Source: setup_connection in src/bin/pg_dump/pg_dump.c.
 */
export const FIXED_SETTINGS: readonly string[] = [
  `SELECT pg_catalog.set_config(name, value, false) FROM (VALUES ${Object.entries({
    client_encoding: "UTF8",
    search_path: "pg_catalog",
    standard_conforming_strings: "on",
    datestyle: "ISO, YMD",
    intervalstyle: "postgres",
    timezone: "UTC",
    extra_float_digits: "3",
    bytea_output: "hex",
    xmloption: "content",
    quote_all_identifiers: "off",
    statement_timeout: "0",
    lock_timeout: "0",
    idle_in_transaction_session_timeout: "0",
    synchronize_seqscans: "off",
    row_security: "off",
    lc_monetary: "C",
    array_nulls: "on",
  })
    .map(([name, value]) => `('${name}', '${value}')`)
    .join(", ")}) AS fixed (name, value)`,
  // Only later servers have them. The last has a server notice when we are gone.
  `SELECT pg_catalog.set_config(name, CASE name WHEN 'client_connection_check_interval' THEN '2s' ELSE '0' END, false)
   FROM pg_catalog.pg_settings
   WHERE name IN ('idle_session_timeout', 'transaction_timeout', 'client_connection_check_interval')`,
];
