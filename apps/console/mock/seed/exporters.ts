/** Exporters in every state there is: approved, new, waiting, silent, blocked, expected; with findings, a history and captures. */
import { Address } from "#domain/Address.ts"
import { Capture, CaptureId } from "#domain/Capture.ts"
import { Exporter, ExporterHistory, type ExporterProtocol, type ExporterState, nothingCounted } from "#domain/Exporter.ts"
import { ExporterFinding, type FindingCode } from "#domain/ExporterFinding.ts"
import { type Approval, ExporterPolicy, type SamplingOverride } from "#domain/ExporterPolicy.ts"
import { ExporterId } from "#domain/ids.ts"
import { instant } from "./World.ts"

const day = 86_400_000

interface Row {
  readonly address: string
  readonly protocol: ExporterProtocol
  readonly name?: string
  readonly state?: ExporterState
  readonly rate?: number
  readonly sampling?: number
  readonly lost?: number
  readonly approval?: Approval
  readonly override?: SamplingOverride
  readonly skewMs?: number
  readonly blocked?: bigint
  readonly findings?: ReadonlyArray<readonly [FindingCode, "info" | "warning", string]>
}

const rows: ReadonlyArray<Row> = [
  { address: "10.0.0.1", protocol: "ipfix", name: "core-rt-01", rate: 18_400, sampling: 1, skewMs: 12 },
  {
    address: "10.0.0.2",
    protocol: "ipfix",
    name: "core-rt-02",
    rate: 16_900,
    sampling: 1,
    lost: 41_220,
    skewMs: 340,
    findings: [
      ["one-direction", "warning", "97 % of 12\u202f410 TCP conversations have packets of one direction only"],
      ["active-timeout-long", "warning", "310 of 48\u202f120 records lasted longer than the window of 5 min, up to 30 min"],
      [
        "loss-network",
        "warning",
        "41\u202f220 flow records (0.41 %) did not arrive in 10 min, and our kernel dropped none: they were lost on the way or never sent"
      ],
      [
        "fragments",
        "info",
        "38 % of its datagrams do not fit a frame of 1\u202f500 octets (largest 4\u202f060): one lost fragment loses the whole"
      ]
    ]
  },
  {
    address: "10.0.0.11",
    protocol: "sflow5",
    name: "leaf-sw-01",
    rate: 2_100,
    sampling: 512,
    lost: 14,
    override: { rate: 1024, mode: "replaces" },
    findings: [
      [
        "sampling-differs",
        "warning",
        "it announces 1 of 512, the override here says 1 of 1\u202f024; volumes are multiplied by 1\u202f024"
      ]
    ]
  },
  { address: "10.0.0.12", protocol: "sflow5", name: "leaf-sw-02", rate: 1_800, sampling: 512 },
  {
    address: "10.0.0.21",
    protocol: "netflow9",
    name: "edge-fw-01",
    state: "waiting",
    skewMs: 7_200_400,
    findings: [
      ["template-interval", "warning", "data waited 8 min for its template"],
      ["clock-off", "warning", "its clock is 2 h behind ours: whole hours, so its clock runs on local time"]
    ]
  },
  {
    address: "10.0.0.13",
    protocol: "netflow5",
    state: "silent",
    sampling: 100,
    lost: 2_310,
    skewMs: 80,
    findings: [["netflow5-limits", "info", "NetFlow v5 has no IPv6, 32-bit counters, 16-bit interface numbers and no direction"]]
  },
  { address: "10.0.9.77", protocol: "netflow9", approval: "new", rate: 640, skewMs: 5 },
  { address: "203.0.113.9", protocol: "ipfix", name: "not ours", approval: "blocked", state: "silent", blocked: 88_120n },
  { address: "10.0.0.31", protocol: "ipfix", name: "dr-rt-01", state: "expected" }
]

const policyOf = ({ approval = "approved", override }: Row, now: number) =>
  new ExporterPolicy({
    approval,
    decidedBy: approval === "new" ? null : "admin",
    decidedAt: approval === "new" ? null : instant(now - 9 * day),
    sampling: override ?? null,
    silenceSeconds: null,
    silentAlarm: true
  })

export const exporters = (now: number): ReadonlyArray<Exporter> =>
  rows.map((row, i) => {
    const { address, protocol, state = "heard", rate = 0, sampling = 0, lost = 0 } = row
    const lastSeen = instant(state === "silent" ? now - 47 * 60_000 : now - 400)
    const heard = state !== "expected"
    const blocked = row.approval === "blocked"
    return new Exporter({
      id: ExporterId.make(String(i + 1)),
      address: Address.make(address),
      protocol,
      name: row.name ?? null,
      state: blocked ? "heard" : state,
      firstSeen: instant(row.approval === "new" ? now - 4 * 60_000 : now - 12 * day),
      lastSeen,
      datagrams: heard ? BigInt(rate) * 4_200n + 9_000n : 0n,
      octets: heard ? BigInt(rate) * 4_200_000n + 9_000_000n : 0n,
      records: heard ? BigInt(rate) * 100_000n + 240_000n : 0n,
      recordsPerSecond: rate,
      sequenceLost: BigInt(lost),
      sequenceResets: state === "silent" && !blocked ? 1n : 0n,
      malformed: protocol === "netflow5" ? 3n : 0n,
      malformedReasons: protocol === "netflow5" ? { "record-count": 3n } : {},
      heldSets: state === "waiting" ? 26 : 0,
      heldDropped: 0n,
      templates: protocol === "ipfix" && heard ? 4 : 0,
      sampling,
      clockSkewMs: row.skewMs ?? null,
      observationDomains: heard ? (protocol === "ipfix" ? [0, 256] : [0]) : [],
      unknownElements: protocol === "ipfix" && heard ? { "9.12232": 8_120n } : {},
      policy: policyOf(row, now),
      ...nothingCounted,
      blocked: row.blocked ?? 0n,
      denied: protocol === "ipfix" && heard ? 1_204n : 0n,
      tunnelled: protocol === "sflow5" && heard ? 52_310n : 0n,
      overLimit: rate > 18_000 ? 4_120n : 0n,
      recordsLate: rate > 18_000 ? 312n : 0n,
      silentSince: state === "silent" && !blocked ? lastSeen : null,
      silenceAlarms: row.approval === undefined && heard,
      findings: (row.findings ?? []).map(([code, severity, text]) => new ExporterFinding({ code, severity, text }))
    })
  })

/** An hour of minutes with a wave, a dip, and minutes of loss for those that lose. */
export const histories = (all: ReadonlyArray<Exporter>, now: number): ReadonlyArray<ExporterHistory> =>
  all.map((one, n) => {
    const minutes = Array.from({ length: 60 }, (_, i) => i)
    const known = one.firstSeen.epochMilliseconds
    const from = Math.floor(now / 60_000) * 60_000 - 59 * 60_000
    const heard = (i: number) => one.datagrams > 0n && from + i * 60_000 >= known - 60_000 && !(one.state === "silent" && i > 12)
    return new ExporterHistory({
      id: one.id,
      from: instant(from),
      records: minutes.map((i) =>
        heard(i) ? Math.round((one.recordsPerSecond || 600) * 60 * (1 + 0.2 * Math.sin(i / 7 + n) - (i === 31 ? 0.5 : 0))) : null
      ),
      lost: minutes
        .map((i) => (heard(i) ? (one.sequenceLost > 100n && i % 11 === 4 ? Number(one.sequenceLost) / 6 : 0) : null))
        .map((v) => (v === null ? null : Math.round(v))),
      malformed: minutes.map((i) => (heard(i) ? (one.malformed > 0n && i === 8 ? 3 : 0) : null))
    })
  })

export const captures = (now: number): ReadonlyArray<Capture> => [
  new Capture({
    id: CaptureId.make("00c0ffee00c0ffee"),
    exporter: ExporterId.make("2"),
    state: "ready",
    startedAt: instant(now - 3_600_000),
    endsAt: instant(now - 3_590_000),
    datagrams: 100,
    wanted: 100,
    octets: 141_224n,
    expiresAt: instant(now + 23 * 3_600_000)
  })
]
