/** What a throw-away server may use. */
export interface Resources {
  /** Of the whole server, in bytes. */
  readonly memory: number;
  readonly processors: number;
  /** How many connections restore at once. */
  readonly jobs: number;
}

const MIB = 1024 * 1024;

/**
 * Settings of a server that is thrown away after one restore: nothing survives a crash, nothing is
 * written twice, and building indexes gets the memory.
 *
 * @returns lines of postgresql.conf.
 */
export function configurationOf(
  { memory, processors, jobs }: Resources,
  major: number,
): readonly string[] {
  const mib = (bytes: number) => `${Math.max(1, Math.floor(bytes / MIB))}MB`;
  const between = (least: number, value: number, most: number) =>
    Math.min(most, Math.max(least, value));
  // Connections that restore at once keep the processors busy; workers beside them only cost more.
  const workers = between(0, processors - jobs, 4);
  // Sorts that stay near the processor's caches are quicker than the largest ones that memory holds.
  const maintenance = between(16 * MIB, memory / 8 / (jobs + 1), 64 * MIB);
  return [
    "listen_addresses = ''",
    "unix_socket_permissions = 0700",
    `max_connections = ${20 + 2 * jobs}`,
    "max_locks_per_transaction = 512",
    `shared_buffers = ${mib(between(32 * MIB, memory / 8, 512 * MIB))}`,
    `maintenance_work_mem = ${mib(maintenance)}`,
    `work_mem = ${mib(between(4 * MIB, memory / 64, 64 * MIB))}`,
    `max_worker_processes = ${8 + 2 * workers}`,
    `max_parallel_workers = ${Math.max(1, processors)}`,
    `max_parallel_maintenance_workers = ${workers}`,
    "wal_level = minimal",
    "max_wal_senders = 0",
    "max_replication_slots = 0",
    "archive_mode = off",
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
    "wal_buffers = 16MB",
    "max_wal_size = 4GB",
    "checkpoint_timeout = 1d",
    "checkpoint_completion_target = 0",
    "autovacuum = off",
    "bgwriter_lru_maxpages = 0",
    "jit = off",
    "huge_pages = off",
    // In its own folder, with which it goes: /dev/shm is small in containers, and keeps what is left.
    "dynamic_shared_memory_type = mmap",
    "password_encryption = 'scram-sha-256'",
    "lo_compat_privileges = on",
    "lc_messages = 'C'",
    "timezone = 'UTC'",
    "log_timezone = 'UTC'",
    "log_statement = 'none'",
    "log_min_error_statement = panic",
    "log_checkpoints = off",
    "logging_collector = off",
    "log_destination = 'stderr'",
    "track_counts = off",
    "restart_after_crash = off",
    // Restored event triggers are not to fire, least of all for the administrator.
    ...(major >= 17 ? ["event_triggers = off"] : []),
  ];
}
