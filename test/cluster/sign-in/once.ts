import { UserError } from "../../../shared/failure/index.ts";
import { Registry } from "../../../shared/registry/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import { signIn } from "../../../shared/sign-in/index.ts";
import { silentLog, systemClock } from "../../../shared/world/index.ts";

/**
 * Signs in as its argument says, asks the registry whether that was enough, and prints what it was
 * told. A program of its own: a process learns only at its start whom it is to trust.
 */
const { host, settings, config, path } = JSON.parse(process.argv[2] ?? "") as {
  host: string;
  settings: object;
  config: object;
  path: string | null;
};
const masked: string[] = [];
const secrets = new Secrets((value) => masked.push(value));
const { signal } = new AbortController();
const environment = process.env;
const world = { clock: systemClock, environment, log: silentLog, secrets, signal };
try {
  const signedIn = await signIn(host, settings, config, world);
  const { credentials } = signedIn;
  if (path !== null) {
    using registry = new Registry({ host, credentials, secrets, clock: systemClock, environment });
    await registry.checkAccess(path, signal);
  }
  console.log(JSON.stringify({ signedIn, masked }));
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  const { title, cause, remedy } = error;
  console.log(JSON.stringify({ failure: { title, cause, remedy }, masked }));
}
