/** What `/metrics` says: names are stable, people build alerts and dashboards on them. */
import { DateTime } from "effect"
import type { Exporter } from "#domain/Exporter.ts"
import type { HealthDetail } from "#domain/Health.ts"
import type { Family, Labels, Sample } from "./exposition.ts"
import type { HttpReading } from "./HttpCounters.ts"

export interface MetricSources {
  readonly health: HealthDetail
  readonly exporters: ReadonlyArray<Exporter>
  readonly http: ReadonlyArray<HttpReading>
  readonly websockets: { readonly open: number; readonly refused: number }
}

const one = (value: number | bigint): ReadonlyArray<Sample> => [[{}, value]]
const known = (value: number | bigint | null): ReadonlyArray<Sample> => (value === null ? [] : one(value))
const seconds = (at: DateTime.Utc) => DateTime.toEpochMillis(at) / 1000

const counter = (name: string, help: string, samples: ReadonlyArray<Sample>): Family => ({ name, type: "counter", help, samples })
const gauge = (name: string, help: string, samples: ReadonlyArray<Sample>): Family => ({ name, type: "gauge", help, samples })

const ofHealth = ({ status, version, startedAt, warnings, memoryBytes, disk, database }: HealthDetail): ReadonlyArray<Family> => [
  gauge("build_info", "Version that runs.", [[{ version }, 1]]),
  gauge("start_time_seconds", "Start of the process, seconds since 1970.", one(seconds(startedAt))),
  gauge("health", "0 healthy, 1 degraded, 2 unhealthy.", one({ healthy: 0, degraded: 1, unhealthy: 2 }[status])),
  gauge(
    "warnings",
    "Warnings that stand, by severity.",
    (["info", "warning", "critical"] as const).map((severity) => [
      { severity },
      warnings.filter((warning) => warning.severity === severity).length
    ])
  ),
  gauge("memory_bytes", "Resident memory of the process.", one(memoryBytes)),
  gauge("disk_free_bytes", "Free space of the data folder's file system.", one(disk.freeBytes)),
  gauge("disk_total_bytes", "Size of the data folder's file system.", one(disk.totalBytes)),
  gauge("database_up", "1 while the database answers.", one(database.reachable ? 1 : 0)),
  gauge(
    "database_round_trip_seconds",
    "Of the newest probe.",
    known(database.roundTripMs === null ? null : database.roundTripMs / 1000)
  ),
  gauge("database_size_bytes", "Size of the database.", known(database.sizeBytes))
]

const ofFlow = ({ flow }: HealthDetail): ReadonlyArray<Family> => [
  counter("flow_datagrams_total", "Datagrams received.", one(flow.datagrams)),
  counter("flow_records_total", "Flow records decoded.", one(flow.records)),
  counter("flow_malformed_total", "Datagrams and sets that could not be read.", one(flow.malformed)),
  counter("flow_refused_total", "Datagrams turned away: blocked, from strangers in a full table, over a limit.", one(flow.refused)),
  counter("flow_kernel_dropped_total", "Datagrams the kernel dropped before the socket was read.", one(flow.kernelDropped)),
  counter("flow_failed_total", "Datagrams lost to a worker part that failed.", one(flow.failed)),
  counter("flow_late_total", "Records that came after their window was closed.", one(flow.late)),
  counter("flow_lost_open_slices_total", "Open slices known lost at hard stops.", one(flow.lostOpenSlices))
]

const ofSpool = ({ spool }: HealthDetail): ReadonlyArray<Family> =>
  spool === undefined
    ? []
    : [
        gauge("spool_files", "Closed slices of windows on disk.", one(spool.files)),
        gauge("spool_bytes", "Octets of the spool, with what was set aside.", one(spool.bytes)),
        gauge("spool_limit_bytes", "Octets the spool may take (ingestion.spool_max_size).", one(spool.limitBytes)),
        gauge("spool_set_aside_files", "Files of the spool that could not be read or written.", one(spool.setAside)),
        gauge("spool_oldest_seconds", "Age of the oldest slice that waits; 0 none.", one(spool.oldestSeconds ?? 0)),
        gauge("spool_waiting_slices", "Slices that are not written yet.", one(spool.waitingSlices)),
        gauge("spool_waiting_windows", "Windows they belong to.", one(spool.waitingWindows)),
        gauge("spool_waiting_records", "Flow records in them.", one(spool.waitingRecords)),
        gauge("spool_memory_bytes", "Octets of slices that are in memory, too.", one(spool.memoryBytes)),
        counter("spool_replayed_slices_total", "Slices of an earlier start that were written.", one(spool.replayedSlices)),
        counter("spool_replayed_records_total", "Flow records in them.", one(spool.replayedRecords)),
        counter("spool_lost_records_total", "Flow records of slices that were set aside.", one(spool.lostRecords)),
        counter("spool_writes_total", "Transactions that wrote slices.", one(spool.writes)),
        counter("spool_written_slices_total", "Slices they wrote.", one(spool.writtenSlices))
      ]

const ofActors = ({ actors }: HealthDetail): ReadonlyArray<Family> => {
  const boxes = actors.flatMap(({ path, mailbox }) =>
    mailbox === null ? [] : [[{ actor: path, mailbox: mailbox.name, policy: mailbox.policy }, mailbox] as const]
  )
  const of = (name: "depth" | "capacity" | "offered" | "refused"): ReadonlyArray<Sample> =>
    boxes.map(([labels, box]) => [labels, box[name]])
  return [
    gauge(
      "actor_state",
      "1 for the state an actor is in.",
      actors.map(({ path, state }) => [{ actor: path, state }, 1])
    ),
    counter(
      "actor_restarts_total",
      "Restarts of an actor.",
      actors.map(({ path, restarts }) => [{ actor: path }, restarts])
    ),
    gauge(
      "actor_gauge",
      "Numbers an actor shows of itself.",
      actors.flatMap(({ path, gauges }) => Object.entries(gauges).map(([name, value]): Sample => [{ actor: path, name }, value]))
    ),
    gauge("mailbox_depth", "Messages that wait.", of("depth")),
    gauge("mailbox_capacity", "Messages that may wait.", of("capacity")),
    counter("mailbox_offered_total", "Messages offered.", of("offered")),
    counter("mailbox_refused_total", "Messages that found no room.", of("refused"))
  ]
}

const labelsOf = ({ address, protocol }: Exporter): Labels => ({ exporter: address, protocol })

const ofExporters = (exporters: ReadonlyArray<Exporter>): ReadonlyArray<Family> => {
  type Read = (exporter: Exporter) => number | bigint
  const of = (read: Read): ReadonlyArray<Sample> => exporters.map((exporter) => [labelsOf(exporter), read(exporter)])
  const counted = (name: string, help: string, read: Read) => counter(name, help, of(read))
  const shown = (name: string, help: string, read: Read) => gauge(name, help, of(read))
  return [
    gauge(
      "exporter_state",
      "1 for the state of an exporter: heard, waiting for templates, silent, expected.",
      exporters.map((exporter) => [{ ...labelsOf(exporter), state: exporter.state }, 1])
    ),
    shown("exporter_last_seen_seconds", "Newest datagram, seconds since 1970.", (e) => seconds(e.lastSeen)),
    counted("exporter_datagrams_total", "Datagrams of an exporter.", (e) => e.datagrams),
    counted("exporter_blocked_total", "Datagrams refused because the exporter is blocked.", (e) => e.blocked),
    counted(
      "exporter_withheld_records_total",
      "Flow records kept off the map because nobody approved the exporter.",
      (e) => e.withheld
    ),
    counted(
      "exporter_over_limit_total",
      "Datagrams turned away because the exporter sent more than its share.",
      (e) => e.overLimit
    ),
    counter(
      "exporter_uncounted_records_total",
      "Flow records in no window: full, sampling while the store lagged, late.",
      exporters.flatMap(
        (e): ReadonlyArray<Sample> => [
          [{ ...labelsOf(e), reason: "full" }, e.recordsRefused],
          [{ ...labelsOf(e), reason: "pressure" }, e.recordsLeftOut],
          [{ ...labelsOf(e), reason: "late" }, e.recordsLate]
        ]
      )
    ),
    counted("exporter_denied_records_total", "Flow records of traffic that was not let through.", (e) => e.denied),
    counted("exporter_tunnelled_records_total", "Flow records whose conversation was found inside a tunnel.", (e) => e.tunnelled),
    counted("exporter_clock_jumps_total", "Times the exporter's clock was set by more than a minute.", (e) => e.clockJumps),
    counted("exporter_records_total", "Flow records of an exporter.", (e) => e.records),
    counted("exporter_sequence_lost_total", "Lost on the way, by the exporter's own numbering.", (e) => e.sequenceLost),
    counted("exporter_sequence_resets_total", "Times the numbering began anew.", (e) => e.sequenceResets),
    counter(
      "exporter_malformed_total",
      "Malformed datagrams and sets, by reason.",
      exporters.flatMap((e) => Object.entries(e.malformedReasons).map(([reason, n]): Sample => [{ ...labelsOf(e), reason }, n]))
    ),
    shown("exporter_held_sets", "Data sets that wait for their template.", (e) => e.heldSets),
    counted("exporter_held_dropped_total", "Data sets given up before their template came.", (e) => e.heldDropped),
    shown("exporter_templates", "Templates known.", (e) => e.templates),
    shown("exporter_sampling", "One of this many packets; 0 not said.", (e) => e.sampling),
    gauge(
      "exporter_clock_skew_seconds",
      "Arrival minus export time, smoothed.",
      exporters.flatMap((e): ReadonlyArray<Sample> => (e.clockSkewMs === null ? [] : [[labelsOf(e), e.clockSkewMs / 1000]]))
    )
  ]
}

export const metricFamilies = ({ health, exporters, http, websockets }: MetricSources): ReadonlyArray<Family> => [
  ...ofHealth(health),
  ...ofFlow(health),
  ...ofSpool(health),
  ...ofActors(health),
  ...ofExporters(exporters),
  counter(
    "http_requests_total",
    "Requests answered, by kind of address and class of status.",
    http.map(({ kind, status, requests }) => [{ kind, status }, requests])
  ),
  gauge("websocket_connections", "Live connections that are open.", one(websockets.open)),
  counter("websocket_refused_total", "Live connections refused because too many were open.", one(websockets.refused))
]
