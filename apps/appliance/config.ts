/**
 * The whole configuration: one table, from which come the values, their checks, `flowlens config check`, the settings page and
 * `docs/configuration.md`. A value comes from the variable, else from the file, else from here; what is wrong stops the start.
 */

import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import * as Result from "effect/Result"
import { defaultInternalRanges } from "#domain/Address.ts"
import {
  address,
  amount,
  bytes,
  choice,
  databaseUrl,
  divisorOfAnHour,
  file,
  flag,
  folder,
  fraction,
  integer,
  networks,
  port,
  section,
  services,
  type ValuesOf
} from "./config/knob.ts"
import { type ConfigProblem, type Resolved, type Rule, resolve, type Sources } from "./config/resolve.ts"

const mebibyte = 1024 ** 2

export const configTable = section("FlowLens", {
  data: folder("./.flowlens", "Folder of everything the appliance keeps: database, certificate, keys, spool, configuration"),
  api: section("The console and the API, both over HTTPS", {
    host: address("0.0.0.0", "Address the HTTPS server listens on"),
    port: port(8443, "Port of the HTTPS server"),
    websocket: section("Live connections of the console", {
      ping_seconds: integer(
        30,
        { minimum: 1, maximum: 3600 },
        "Seconds between the pings that tell a live console from a lost one"
      ),
      max_connections: integer(1000, { minimum: 1, maximum: 100_000 }, "Live connections at a time; the next one is refused")
    }),
    pagination: section("Lists in pages", {
      default: integer(50, { minimum: 1, maximum: 10_000 }, "Rows of a page when the caller does not say"),
      maximum: integer(1000, { minimum: 1, maximum: 10_000 }, "Most rows of a page")
    })
  }),
  database: section("PostgreSQL 15 or later (seen with 15.18, 16.14, 17.10 and 18.4)", {
    url: databaseUrl("A PostgreSQL server of your own; without it the appliance runs its own in the data folder")
  }),
  ingestion: section("Where exporters send their flows", {
    bind_address: address("0.0.0.0", "Address the UDP listeners are bound to"),
    netflow_port: port(2055, "UDP port for NetFlow v5 and v9"),
    sflow_port: port(6343, "UDP port for sFlow v5"),
    ipfix_port: port(4739, "UDP port for IPFIX"),
    receive_buffer_size: bytes(
      16 * mebibyte,
      { minimum: 64 * 1024, maximum: 1024 * mebibyte },
      "Socket buffer asked of the kernel for each listener; a warning tells when it grants less"
    ),
    spool_max_size: bytes(
      4096 * mebibyte,
      { minimum: mebibyte, maximum: 1024 * 1024 * mebibyte },
      "Most that closed windows may take in the folder `spool` while the database is away; past it flows are sampled, then dropped, and counted"
    ),
    exporter_max_rate: integer(
      200_000,
      { minimum: 0, maximum: 100_000_000 },
      "Datagrams a second that each worker takes of one exporter; more are refused and counted. 0: no limit"
    ),
    workers: integer(1, { minimum: 1, maximum: 64 }, "Threads that decode and aggregate; more than one shares the ports")
  }),
  exporters: section("Who may send, and whose silence is missed", {
    require_approval: flag(false, "Keep flows of exporters that nobody approved off the map; they are decoded and counted"),
    silence_seconds: integer(
      300,
      { minimum: 10, maximum: 604_800 },
      "Seconds without a datagram after which an exporter is silent; each may have a limit of its own"
    )
  }),
  aggregation: section("Flow records become conversations in windows of time", {
    window_size_seconds: divisorOfAnHour(300, 10, "Length of a window"),
    flush_interval_seconds: integer(
      60,
      { minimum: 1, maximum: 3600 },
      "Seconds between writes of what an open window holds; at most a window"
    ),
    max_conversations: integer(
      1_000_000,
      { minimum: 1000, maximum: 1_000_000 },
      "Conversations that a worker holds in its open windows; each takes 128 octets, further ones are refused and counted"
    ),
    lateness_seconds: integer(
      120,
      { minimum: 0, maximum: 3600 },
      "How long a window waits for late records after its end; later ones are counted as late"
    )
  }),
  flow_raw: section("Single flow records, for looking them up; the map does not need them", {
    keep: flag(false, "Keep every flow record as it was exported: for sites with few, about 200 octets a record"),
    max_rate: integer(
      10_000,
      { minimum: 1, maximum: 200_000 },
      "Records a second that are kept of each worker; more are counted and left out"
    )
  }),
  assets: section("When an address becomes an asset", {
    hosts_file: file("Names for assets, in the form of /etc/hosts; read again when it changes"),
    auto_create: flag(true, "Make assets of addresses seen in flows; off lists them as candidates"),
    min_flows_for_creation: integer(5, { minimum: 1, maximum: 1_000_000 }, "Flow records before an address becomes an asset")
  }),
  dependencies: section("When traffic becomes a dependency", {
    min_flows_for_creation: integer(
      3,
      { minimum: 1, maximum: 1_000_000 },
      "Flow records before a conversation becomes a dependency"
    ),
    confidence_threshold: fraction(0.5, "Below this confidence a dependency is shown as weak and raises no alert"),
    stale_after_hours: amount(
      168,
      { minimum: 0.001, maximum: 87_600 },
      "Hours without traffic, while an exporter that used to see it was heard well, after which a dependency is stale"
    )
  }),
  classification: section("Which addresses are yours", {
    internal_ranges: networks(defaultInternalRanges, "Networks that are internal; every other address is external")
  }),
  services: services([], "Names for ports of your own; they win over the shipped names and mark the port as a service"),
  retention: section("What the database keeps, and for how long; whole days, months or years are dropped", {
    flow_raw_days: integer(7, { minimum: 1, maximum: 3650 }, "Days single flow records are kept, where they are kept at all"),
    flow_stats_days: integer(14, { minimum: 1, maximum: 3650 }, "Days the traffic of each window is kept"),
    flow_stats_hour_days: integer(400, { minimum: 2, maximum: 3650 }, "Days the traffic of each hour is kept"),
    flow_stats_day_days: integer(3650, { minimum: 2, maximum: 36_500 }, "Days the traffic of each day is kept"),
    audit_days: integer(400, { minimum: 0, maximum: 36_500 }, "Days entries of the audit log are kept, at least 30; 0: for ever"),
    coverage_days: integer(90, { minimum: 1, maximum: 3650 }, "Days the ledger of how well exporters were heard is kept"),
    reserve: bytes(
      1024 * mebibyte,
      { minimum: 64 * mebibyte, maximum: 1024 * 1024 * mebibyte },
      "Space that stays free on the disk of the appliance's own database: below it the oldest traffic is dropped, and a warning says so"
    ),
    max_database_size: bytes(
      0,
      { minimum: 0, maximum: 1024 * 1024 * 1024 * mebibyte },
      "Most that the database may have before the oldest traffic is dropped; 0: as much as the disk"
    )
  }),
  access: section("Logging in", {
    session_hours: integer(24, { minimum: 1, maximum: 720 }, "Hours until a session ends and asks for the password again"),
    lockout_failures: integer(5, { minimum: 1, maximum: 1000 }, "Wrong passwords in a row before an account is locked"),
    lockout_minutes: integer(15, { minimum: 1, maximum: 10_080 }, "Minutes a locked account stays locked")
  }),
  log: section("What the appliance says on standard output", {
    level: choice("info", ["error", "warning", "info", "debug"], "Least level that is logged"),
    format: choice("json", ["json", "text"], "One JSON object a line for a log store, or text for a terminal")
  })
})

export type Config = ValuesOf<typeof configTable>

/** Where several knobs must fit together. Port 0 is chosen by the system and never collides. */
const rules: ReadonlyArray<Rule<typeof configTable>> = [
  ({ ingestion: { netflow_port: netflow, sflow_port: sflow } }) =>
    sflow !== 0 && sflow === netflow
      ? { knob: "ingestion.sflow_port", allowed: "a port of its own, not that of ingestion.netflow_port" }
      : undefined,
  ({ ingestion: { netflow_port: netflow, sflow_port: sflow, ipfix_port: ipfix } }) =>
    ipfix !== 0 && (ipfix === netflow || ipfix === sflow)
      ? {
          knob: "ingestion.ipfix_port",
          allowed: `a port of its own, not that of ingestion.${ipfix === netflow ? "netflow" : "sflow"}_port`
        }
      : undefined,
  ({ aggregation: { flush_interval_seconds: flush, window_size_seconds: window } }) =>
    flush > window
      ? { knob: "aggregation.flush_interval_seconds", allowed: `at most aggregation.window_size_seconds, which is ${window}` }
      : undefined,
  ({ retention: { flow_stats_days: windows, flow_stats_hour_days: hours } }) =>
    hours < windows
      ? { knob: "retention.flow_stats_hour_days", allowed: `at least retention.flow_stats_days, which is ${windows}` }
      : undefined,
  ({ retention: { flow_stats_hour_days: hours, flow_stats_day_days: days } }) =>
    days < hours
      ? { knob: "retention.flow_stats_day_days", allowed: `at least retention.flow_stats_hour_days, which is ${hours}` }
      : undefined,
  ({ retention: { audit_days: days } }) =>
    days > 0 && days < 30 ? { knob: "retention.audit_days", allowed: "0, or at least 30" } : undefined,
  ({ api: { pagination } }) =>
    pagination.default > pagination.maximum
      ? { knob: "api.pagination.default", allowed: `at most api.pagination.maximum, which is ${pagination.maximum}` }
      : undefined
]

/** Variables of the project's own tests and scripts, which are no knobs. */
const otherVariables = [
  "FLOWLENS_COUNTERPARTS",
  "FLOWLENS_CORPUS",
  "FLOWLENS_FUZZ_SECONDS",
  "FLOWLENS_SOAK_SECONDS",
  "FLOWLENS_BENCH_SECONDS",
  "FLOWLENS_BENCH_TOOLS",
  "FLOWLENS_UPDATE"
]

export type ResolvedConfig = Resolved<typeof configTable>

/** The configuration that the file's text and the variables make, or every problem with them. */
export const resolveConfig = (sources: Sources): Result.Result<ResolvedConfig, ReadonlyArray<ConfigProblem>> =>
  resolve(configTable, rules, sources, otherVariables)

/**
 * Reads the file and resolves. Without `path` the file is `flowlens.yaml` in the data folder and need not be there; a file that was
 * asked for must be. The data folder in the result is absolute.
 */
export const loadConfig = (options: {
  readonly path?: string | undefined
  readonly env: Sources["env"]
}): Result.Result<ResolvedConfig, ReadonlyArray<ConfigProblem>> => {
  const { env, path } = options
  const filePath = path ?? NodePath.join(env["FLOWLENS_DATA"] ?? configTable.knobs.data.default, "flowlens.yaml")
  let fileText: string | undefined
  try {
    fileText = NodeFs.readFileSync(filePath, "utf8")
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (path !== undefined || code !== "ENOENT") {
      const reason = code === "ENOENT" ? "there is no such file" : `it cannot be read (${code ?? "unknown error"})`
      return Result.fail([
        {
          knob: undefined,
          value: undefined,
          allowed: "a YAML file",
          where: filePath,
          message: `configuration file ${filePath}: ${reason}`
        }
      ])
    }
  }
  return Result.map(resolveConfig({ fileText, filePath, env }), ({ config, settings }) => ({
    config: { ...config, data: NodePath.resolve(config.data) },
    settings
  }))
}
