import { appendFile, chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Bed } from "../bed.ts";
import { copyIntoImage, patchelf, type System, systemFolder } from "../build/system.ts";
import { nameOfPostgres, type PostgresMajor, postgresSystem, redisSystem } from "../databases.ts";
import type { Tool } from "../piece.ts";
import { addBusybox, busybox } from "./busybox.ts";
import { type Image, provide } from "./image.ts";

/** The majors of PostgreSQL that there are images of. */
const majors = ["15", "17"] as const satisfies readonly PostgresMajor[];

const DATA = "/var/lib/postgresql/data";

/** A server for pods and containers, to be set up like the image that everybody uses. */
function postgres(major: PostgresMajor): Image {
  return {
    repository: "testbed/postgres",
    tag: major,
    config: {
      Entrypoint: ["docker-entrypoint.sh"],
      Cmd: ["postgres"],
      Env: [
        `PATH=/usr/lib/postgresql/${major}/bin:/usr/local/bin:/usr/bin:/bin`,
        `PGDATA=${DATA}`,
        "LANG=C.UTF-8",
      ],
    },
    key: async (bed) => [await keyOf(bed, postgresSystem(major)), ENTRY].join("\n"),
    fill: async (bed, root) => {
      await fillFrom(bed, postgresSystem(major), root);
      await addUser(root, "postgres");
      // The layer gives every file to root, and the server may be anybody.
      for (const folder of [dirname(DATA), "/var/run/postgresql", "/docker-entrypoint-initdb.d"]) {
        await mkdir(join(root, folder), { recursive: true });
        await chmod(join(root, folder), 0o1777);
      }
      await addProgram(root, "docker-entrypoint.sh", ENTRY);
    },
  };
}

const redis: Image = {
  repository: "testbed/redis",
  tag: "7",
  config: {
    Entrypoint: ["docker-entrypoint.sh"],
    Cmd: ["redis-server"],
    Env: ["PATH=/usr/local/bin:/usr/bin:/bin"],
    WorkingDir: "/data",
  },
  key: async (bed) => [await keyOf(bed, redisSystem), REDIS_ENTRY].join("\n"),
  fill: async (bed, root) => {
    await fillFrom(bed, redisSystem, root);
    await addUser(root, "redis");
    await mkdir(join(root, "data"));
    await chmod(join(root, "data"), 0o1777);
    await addProgram(root, "docker-entrypoint.sh", REDIS_ENTRY);
  },
};

/** Images of databases in the registry. */
export const databaseImages: readonly Tool[] = [
  ...majors.map((major) =>
    piece(`${nameOfPostgres(major)}-image`, postgresSystem(major), postgres(major)),
  ),
  piece("redis-image", redisSystem, redis),
];

/** Images of databases, by the name of their piece. */
export const imagesOfDatabases: Readonly<Record<string, Image>> = {
  ...Object.fromEntries(majors.map((major) => [`${nameOfPostgres(major)}-image`, postgres(major)])),
  "redis-image": redis,
};

function piece(name: string, system: System, image: Image): Tool {
  return {
    name,
    needs: ["registry"],
    packages: ["busybox-static"],
    systems: [system],
    prepare: (bed) => provide(bed, image),
  };
}

async function keyOf(bed: Bed, system: System): Promise<string> {
  return [systemFolder("", system), await busybox.key(bed)].join("\n");
}

async function fillFrom(bed: Bed, system: System, root: string): Promise<void> {
  await addBusybox(bed, root);
  await copyIntoImage({ systems: bed.systems, patchelf: patchelf(bed.cache) }, system, root);
}

async function addUser(root: string, name: string): Promise<void> {
  const users = [`${name}:x:999:999::/tmp:/bin/sh`, "nobody:x:65534:65534::/:/bin/sh", ""];
  await appendFile(join(root, "etc/passwd"), users.join("\n"));
  await appendFile(join(root, "etc/group"), `${name}:x:999:\nnogroup:x:65534:\n`);
}

async function addProgram(root: string, name: string, text: string): Promise<void> {
  await mkdir(join(root, "usr/local/bin"), { recursive: true });
  await writeFile(join(root, "usr/local/bin", name), text, { mode: 0o755 });
}

/** Makes the data folder that the environment asks for, and hands over to the server. */
const ENTRY = `#!/bin/sh
set -e
case $1 in -*) set -- postgres "$@" ;; esac
[ "$1" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chown -R 999:999 "$PGDATA" /var/run/postgresql
  exec su -m -s /bin/sh -- postgres "$0" "$@"
fi

user=\${POSTGRES_USER:-postgres}
database=\${POSTGRES_DB:-$user}
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  password=$POSTGRES_PASSWORD
  if [ -n "$POSTGRES_PASSWORD_FILE" ]; then password=$(cat "$POSTGRES_PASSWORD_FILE"); fi
  method=\${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
  if [ -z "$password" ] && [ "$method" != trust ]; then
    echo "Set POSTGRES_PASSWORD, or POSTGRES_HOST_AUTH_METHOD to trust." >&2
    exit 1
  fi
  mkdir -p -m 700 "$PGDATA"
  chmod 700 "$PGDATA" 2>/dev/null || true
  secret=/tmp/password.$$
  (umask 077 && printf '%s\\n' "$password" > $secret)
  if [ -n "$password" ]; then set -- --pwfile=$secret "$@"; fi
  options=
  while [ "$1" != postgres ]; do options="$options $1"; shift; done
  initdb -D "$PGDATA" -U "$user" -E UTF8 --auth-local=trust --auth-host="$method" \\
    $options $POSTGRES_INITDB_ARGS
  rm -f $secret
  echo "host all all all $method" >> "$PGDATA/pg_hba.conf"
  echo "host replication all all $method" >> "$PGDATA/pg_hba.conf"
  echo "listen_addresses = '*'" >> "$PGDATA/postgresql.conf"
  pg_ctl -D "$PGDATA" -w -o "-c listen_addresses=''" start
  if [ "$database" != postgres ]; then
    printf 'CREATE DATABASE :"name"' | psql -X -v ON_ERROR_STOP=1 -U "$user" -d postgres -v name="$database"
  fi
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh) . "$file" ;;
      *.sql) psql -X -v ON_ERROR_STOP=1 -U "$user" -d "$database" -f "$file" ;;
    esac
  done
  pg_ctl -D "$PGDATA" -w -m fast stop
fi
exec "$@"
`;

const REDIS_ENTRY = `#!/bin/sh
set -e
case $1 in -* | *.conf) set -- redis-server "$@" ;; esac
[ "$1" = redis-server ] || exec "$@"
if [ "$(id -u)" = 0 ]; then
  chown -R 999:999 /data
  exec su -m -s /bin/sh -- redis "$0" "$@"
fi
exec "$@" --protected-mode no
`;
