/**
 * What is wrong with an exporter, from what was measured of it: pure. Each finding holds a figure; none is said of fewer than a few dozen
 * records or datagrams. What to change stands in exporter-advice.ts.
 */
import { inFull } from "./digits.ts"
import type { ExporterProtocol } from "./Exporter.ts"
import { ExporterFinding, type FindingCode } from "./ExporterFinding.ts"
import { DURATION_EDGES, type ExporterMeasures } from "./ExporterMeasures.ts"
import type { SamplingOverride } from "./ExporterPolicy.ts"

export interface CoachInputs {
  readonly protocol: ExporterProtocol
  readonly measures: ExporterMeasures
  /** What the exporter says: 0 nothing, 1 unsampled, N one of N. */
  readonly sampling: number
  readonly override: SamplingOverride | null
  readonly clockSkewMs: number | null
  readonly windowSeconds: number
  /** Octets of the socket's buffer: asked for, and the least that was granted (0 unknown). */
  readonly bufferAsked: number
  readonly bufferGranted: number
}

type Found = readonly [code: FindingCode, severity: ExporterFinding["severity"], text: string]

/** Records, datagrams or conversations below which nothing is concluded. */
const ENOUGH = 40
const MINUTE = 60_000

const percent = (part: number, whole: number): string => {
  const share = (100 * part) / whole
  return `${share >= 10 || share === 0 ? Math.round(share) : share.toPrecision(2)} %`
}
const span = (seconds: number): string =>
  seconds < 90 ? `${seconds} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 360) / 10} h`
const spanMs = (ms: number): string => (Math.abs(ms) < 1000 ? `${Math.round(ms)} ms` : span(Math.round(ms / 1000)))
const unitOf = (protocol: ExporterProtocol): string =>
  protocol === "netflow9" || protocol === "sflow5" ? "datagrams" : "flow records"

/** Worst first. */
export const coach = (inputs: CoachInputs): ReadonlyArray<ExporterFinding> =>
  [
    ...directions(inputs),
    ...timeouts(inputs),
    ...sampling(inputs),
    ...clock(inputs),
    ...templates(inputs),
    ...loss(inputs),
    ...fields(inputs)
  ]
    .sort(([, a], [, b]) => (a === b ? 0 : a === "warning" ? -1 : 1))
    .map(([code, severity, text]) => new ExporterFinding({ code, severity, text }))

function* directions({ measures: m }: CoachInputs): Iterable<Found> {
  if (m.conversations >= ENOUGH && m.oneWay / m.conversations >= 0.6) {
    yield [
      "one-direction",
      "warning",
      `${percent(m.oneWay, m.conversations)} of ${inFull(m.conversations)} TCP conversations have packets of one direction only`
    ]
  }
  if (m.doubled >= ENOUGH && m.doubled / m.allConversations >= 0.2) {
    yield [
      "both-ways",
      "info",
      `${percent(m.doubled, m.allConversations)} of ${inFull(m.allConversations)} conversations are reported on the way in and again on the way out`
    ]
  }
  if (m.repeats >= ENOUGH && m.repeats / m.records >= 0.02) {
    yield [
      "both-ways",
      "info",
      `${percent(m.repeats, m.records)} of ${inFull(m.records)} records say again what others say: ${m.repeatedOn || "each of several interfaces"}`
    ]
  }
}

/** The bucket under whose upper end all but one in two hundred records lie; undefined with too few. */
const longestUsual = (durations: ReadonlyArray<number>): { readonly edge: number; readonly total: number } | undefined => {
  const total = durations.reduce((sum, one) => sum + one, 0)
  if (total < ENOUGH * 5) return undefined
  let below = 0
  for (const [i, one] of durations.entries()) {
    below += one
    if (below >= total * 0.995) return { edge: DURATION_EDGES[i] ?? Number.POSITIVE_INFINITY, total }
  }
  return undefined
}

function* timeouts({ measures: { durations }, windowSeconds }: CoachInputs): Iterable<Found> {
  const longerThan = (seconds: number) =>
    durations.reduce((sum, one, i) => sum + ((DURATION_EDGES[i - 1] ?? 0) >= seconds ? one : 0), 0)
  const total = durations.reduce((sum, one) => sum + one, 0)
  // an active timeout of exactly the window ends its records a little later
  const beyond = longerThan(DURATION_EDGES.find((edge) => edge >= windowSeconds * 1.1) ?? windowSeconds)
  if (total >= ENOUGH && beyond >= 3) {
    const last = durations.findLastIndex((one) => one > 0)
    const longest =
      DURATION_EDGES[last] === undefined ? `over ${span(DURATION_EDGES.at(-1)!)}` : `up to ${span(DURATION_EDGES[last])}`
    yield [
      "active-timeout-long",
      "warning",
      `${inFull(beyond)} of ${inFull(total)} records lasted longer than the window of ${span(windowSeconds)}, ${longest}`
    ]
    return
  }
  const usual = longestUsual(durations)
  if (usual === undefined || usual.edge > 20) return
  // records heap up at the timeout: without a heap it is traffic of short connections
  const at = DURATION_EDGES.indexOf(usual.edge as (typeof DURATION_EDGES)[number])
  const heap = durations[at]!
  if (heap / usual.total < 0.15 || heap <= (durations[at - 1] ?? 0) || usual.edge < 2) return
  yield [
    "active-timeout-short",
    "info",
    `${percent(heap, usual.total)} of ${inFull(usual.total)} records end at ${span(DURATION_EDGES[at - 1] ?? 0)} to ${span(usual.edge)} and none lasts longer: a connection of five minutes makes ${Math.round(300 / usual.edge)} records`
  ]
}

function* sampling({ measures: m, override, protocol, sampling: said }: CoachInputs): Iterable<Found> {
  if (override !== null && said > 0 && said !== override.rate) {
    const used = override.mode === "replaces" ? override.rate : said
    yield [
      "sampling-differs",
      "warning",
      `it announces ${said === 1 ? "no sampling" : `1 of ${inFull(said)}`}, the override here says ${override.rate === 1 ? "unsampled" : `1 of ${inFull(override.rate)}`}; volumes are multiplied by ${inFull(used)}`
    ]
  }
  if (said === 0 && override === null && protocol !== "sflow5" && m.tcp >= ENOUGH && m.tcpSingle / m.tcp >= 0.5) {
    yield [
      "sampling-missing",
      "warning",
      `${percent(m.tcpSingle, m.tcp)} of ${inFull(m.tcp)} TCP records have one packet from the middle of a connection, as sampled packets do, and no sampling rate is announced`
    ]
  }
  const tells = protocol === "netflow9" || protocol === "ipfix"
  if (tells && said === 0 && override === null && m.optionsRecords === 0 && m.records >= ENOUGH && m.spanMs >= 5 * MINUTE) {
    yield ["options-missing", "info", `no options data in ${spanMs(m.spanMs)}: whether packets are sampled is not said`]
  }
}

function* clock({ clockSkewMs, measures: m }: CoachInputs): Iterable<Found> {
  const skew = clockSkewMs === null ? 0 : Math.abs(clockSkewMs)
  if (clockSkewMs !== null && skew >= 5000) {
    const hours = Math.round(skew / 3_600_000)
    const zone =
      hours > 0 && Math.abs(skew - hours * 3_600_000) < 2 * MINUTE ? `: whole hours, so its clock runs on local time` : ""
    yield [
      "clock-off",
      skew >= 30_000 ? "warning" : "info",
      `its clock is ${spanMs(skew)} ${clockSkewMs > 0 ? "behind" : "ahead of"} ours${zone}`
    ]
  }
  if (Math.abs(m.driftMs) >= 2000 && m.driftOverMs >= 10 * MINUTE) {
    yield [
      "clock-drift",
      "warning",
      `its clock ${m.driftMs > 0 ? "lost" : "gained"} ${spanMs(Math.abs(m.driftMs))} in ${spanMs(m.driftOverMs)} against ours: nothing sets it`
    ]
  }
}

function* templates({ measures: m }: CoachInputs): Iterable<Found> {
  const interval = m.templateIntervalMs ?? 0
  if (m.waitedMs < MINUTE && interval < 10 * MINUTE) return
  const parts = [
    ...(m.waitedMs >= MINUTE ? [`data waited ${spanMs(m.waitedMs)} for its template`] : []),
    ...(interval >= 10 * MINUTE ? [`${spanMs(interval)} passed without a template`] : [])
  ]
  yield ["template-interval", m.waitedMs >= MINUTE ? "warning" : "info", parts.join("; ")]
}

function* loss({ bufferAsked, bufferGranted, measures: m, protocol }: CoachInputs): Iterable<Found> {
  const units = protocol === "netflow9" || protocol === "sflow5" ? m.datagrams : m.records
  if (m.lost >= 10 && units > 0) {
    const lost = `${inFull(m.lost)} ${unitOf(protocol)} (${percent(m.lost, m.lost + units)}) did not arrive in ${spanMs(m.spanMs)}`
    yield m.kernelDropped > 0
      ? ["loss-here", "warning", `${lost}; our kernel dropped ${inFull(m.kernelDropped)} datagrams of all exporters meanwhile`]
      : ["loss-network", "warning", `${lost}, and our kernel dropped none: they were lost on the way or never sent`]
  }
  const rate = m.spanMs > 0 ? (m.octets / m.spanMs) * 1000 : 0
  if (bufferGranted > 0 && bufferGranted < bufferAsked && m.spanMs >= 10_000 && bufferGranted / rate < 0.1) {
    yield [
      "receive-buffer",
      "warning",
      `at its ${(rate / 1e6).toFixed(1)} MB/s our receive buffer of ${inFull(bufferGranted)} octets lasts ${Math.round((bufferGranted / rate) * 1000)} ms`
    ]
  }
  if (m.datagrams >= ENOUGH && m.oversized / m.datagrams >= 0.01) {
    yield [
      "fragments",
      m.lost >= 10 ? "warning" : "info",
      `${percent(m.oversized, m.datagrams)} of its datagrams do not fit a frame of 1\u202f500 octets (largest ${inFull(m.largestDatagram)}): one lost fragment loses the whole`
    ]
  }
}

function* fields({ measures: m, protocol }: CoachInputs): Iterable<Found> {
  if (m.tcp >= ENOUGH && m.tcpWithFlags === 0) yield ["no-tcp-flags", "warning", `none of ${inFull(m.tcp)} TCP records has flags`]
  if (m.ported >= ENOUGH && m.portless / m.ported >= 0.9) {
    yield ["no-ports", "warning", `${percent(m.portless, m.ported)} of ${inFull(m.ported)} TCP and UDP records have no ports`]
  }
  if (m.looked >= ENOUGH && protocol !== "sflow5" && m.withTimes === 0) {
    yield ["no-times", "warning", `none of ${inFull(m.looked)} records says when its flow was`]
  }
  if (m.looked >= ENOUGH && m.withInterfaces === 0) {
    yield ["no-interfaces", "info", `none of ${inFull(m.looked)} records names an interface`]
  }
  if (m.looked >= ENOUGH && (protocol === "netflow9" || protocol === "ipfix") && m.ingress + m.egress === 0) {
    yield ["no-direction", "info", `none of ${inFull(m.looked)} records says whether it was taken on the way in or out`]
  }
  if (protocol === "netflow5") {
    yield ["netflow5-limits", "info", "NetFlow v5 has no IPv6, 32-bit counters, 16-bit interface numbers and no direction"]
  }
}
