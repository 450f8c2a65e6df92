import { dumpAt, examineDump } from "../../shared/dump-format/index.ts";

/** What `integrity` measures: a process that examines the dump it is given, and tells what it cost. */
const [path = ""] = process.argv.slice(2);
const began = performance.now();
const examination = await examineDump(await dumpAt(path), { signal: new AbortController().signal });
const milliseconds = performance.now() - began;
const { plainBytes, findings, rows } = examination;
const counted = [...rows.values()].reduce((sum, count) => sum + count, 0);
console.log(JSON.stringify({ milliseconds, plainBytes, rows: counted, findings: findings.length }));
