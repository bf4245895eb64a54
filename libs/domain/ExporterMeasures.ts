/** What one exporter's datagrams, records and conversations looked like in the last five to ten minutes: the coach reads nothing else. */

/** Upper ends of `durations`, seconds; the last bucket holds what is longer. */
export const DURATION_EDGES = [
  1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 360, 450, 600, 900, 1200, 1800, 2700, 3600, 7200
] as const

/** Plain data: crosses the thread boundary. */
export interface ExporterMeasures {
  /** How long the figures were taken. */
  readonly spanMs: number
  /** Flow records looked at: of a busy exporter a part. */
  readonly looked: number
  readonly tcp: number
  readonly tcpWithFlags: number
  /** TCP records of one packet that is neither the first nor the last of its connection. */
  readonly tcpSingle: number
  /** TCP and UDP records, and those with both ports 0. */
  readonly ported: number
  readonly portless: number
  readonly withTimes: number
  readonly withInterfaces: number
  /** Records that say they were taken on the way in, and on the way out (IE 61). */
  readonly ingress: number
  readonly egress: number
  /** Records by how long they lasted (DURATION_EDGES); without those that have no times. */
  readonly durations: ReadonlyArray<number>
  /** TCP conversations with enough packets to have an answer, and those with none; of slices. */
  readonly conversations: number
  readonly oneWay: number
  /** Conversations of any kind, and those whose one direction was reported on the way in and on the way out. */
  readonly allConversations: number
  readonly doubled: number
  /** Records that say again what was said from other interfaces, and of which: "interfaces 1 → 2 and again on 3 → 4", or "". */
  readonly repeats: number
  readonly repeatedOn: string
  readonly datagrams: number
  readonly octets: number
  readonly records: number
  readonly optionsRecords: number
  /** Units of its own numbering that did not arrive. */
  readonly lost: number
  /** Datagrams that our kernel dropped meanwhile, whoever sent them. */
  readonly kernelDropped: number
  readonly largestDatagram: number
  /** Datagrams that do not fit an Ethernet frame of 1,500 octets. */
  readonly oversized: number
  /** Longest time between two templates, the running one included; null where the protocol has none, or no record came. */
  readonly templateIntervalMs: number | null
  /** Longest time data waited for its template. */
  readonly waitedMs: number
  /** How far the clock moved against ours, and in what time; 0 while too short. */
  readonly driftMs: number
  readonly driftOverMs: number
}

export const noMeasures: ExporterMeasures = {
  spanMs: 0,
  looked: 0,
  tcp: 0,
  tcpWithFlags: 0,
  tcpSingle: 0,
  ported: 0,
  portless: 0,
  withTimes: 0,
  withInterfaces: 0,
  ingress: 0,
  egress: 0,
  durations: DURATION_EDGES.map(() => 0).concat(0),
  conversations: 0,
  oneWay: 0,
  allConversations: 0,
  doubled: 0,
  repeats: 0,
  repeatedOn: "",
  datagrams: 0,
  octets: 0,
  records: 0,
  optionsRecords: 0,
  lost: 0,
  kernelDropped: 0,
  largestDatagram: 0,
  oversized: 0,
  templateIntervalMs: null,
  waitedMs: 0,
  driftMs: 0,
  driftOverMs: 0
}

type Writable = { -readonly [K in keyof ExporterMeasures]: ExporterMeasures[K] }
type CountName = { [K in keyof ExporterMeasures]: ExporterMeasures[K] extends number ? K : never }[keyof ExporterMeasures]

/** The drift is of one clock, not a count. */
const counts = (Object.keys(noMeasures) as Array<keyof ExporterMeasures>).filter(
  (name): name is CountName => typeof noMeasures[name] === "number" && !name.startsWith("drift")
)
/** Of these the larger holds; the others add. */
const extremes: ReadonlySet<string> = new Set(["spanMs", "largestDatagram", "waitedMs"])

const longer = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.max(a, b))

/** Of two workers that hear the same exporter, or of two spans: counts add, extremes stay. */
export const mergeMeasures = (a: ExporterMeasures, b: ExporterMeasures): ExporterMeasures => {
  const drifts = Math.abs(a.driftMs) >= Math.abs(b.driftMs) ? a : b
  const merged: Writable = {
    ...drifts,
    durations: a.durations.map((count, i) => count + b.durations[i]!),
    repeatedOn: a.repeats >= b.repeats ? a.repeatedOn || b.repeatedOn : b.repeatedOn || a.repeatedOn,
    templateIntervalMs: longer(a.templateIntervalMs, b.templateIntervalMs)
  }
  for (const name of counts) merged[name] = extremes.has(name) ? Math.max(a[name], b[name]) : a[name] + b[name]
  return merged
}
