/**
 * A template compiled once into a plan: which field of a record feeds which column of the flow batch. `interpret.ts` runs any plan,
 * `generate.ts` turns the common ones into straight-line code.
 *
 * Where several elements say the same thing the order below is the order of preference; where one element occurs twice the last
 * occurrence is the inner header (RFC 7011 §8: occurrences follow the order of treatment), and the first one stands in when it is 0.
 */
import type { LearnedTemplate } from "#domain/LearnedTemplate.ts"

/** RFC 7011 §7: the length is in the record. */
export const VARIABLE_LENGTH = 65535
/** RFC 5103 §6.1: the same element in the reverse direction. */
export const REVERSE_PEN = 29305

/** How a time field is read. */
export const TIME_NONE = 0
export const TIME_MILLISECONDS = 1
export const TIME_SECONDS = 2
/** NTP 64-bit timestamps (RFC 7011 §6.1.9, §6.1.10). */
export const TIME_NTP = 3
/** Microseconds before the export time. */
export const TIME_DELTA_MICROSECONDS = 4
/** Milliseconds of the exporter's uptime, wrapping at 2^32. */
export const TIME_UPTIME = 5

/** How the sampling rate in a record is written. */
export const RATE_NONE = 0
/** One of N. */
export const RATE_INTERVAL = 1
/** PSAMP: `a` packets taken, then `b` packets skipped (RFC 5477 §8.2). */
export const RATE_INTERVAL_SPACE = 2
/** PSAMP: `a` of a population of `b`. */
export const RATE_SIZE_POPULATION = 3
/** PSAMP: probability as a float64. */
export const RATE_PROBABILITY = 4

/** What a packet section field holds. */
export const SECTION_NONE = 0
export const SECTION_ETHERNET = 1
export const SECTION_IP = 2

export interface TimeSource {
  readonly kind: number
  readonly field: number
}

/** Field indices; -1 is "the template has none". Lists hold every candidate, best first, of which the first non-zero value counts. */
export interface Plan {
  readonly fieldCount: number
  /** Lengths by field, VARIABLE_LENGTH included. */
  readonly lengths: Int32Array
  /** Offsets by field from the record's start; only of use when `variable` is false. */
  readonly offsets: Int32Array
  readonly variable: boolean
  /** Octets of a record, at least, when `variable`. Never 0. */
  readonly minimum: number
  readonly source4: ReadonlyArray<number>
  readonly destination4: ReadonlyArray<number>
  readonly source6: ReadonlyArray<number>
  readonly destination6: ReadonlyArray<number>
  readonly sourcePort: ReadonlyArray<number>
  readonly destinationPort: ReadonlyArray<number>
  readonly protocol: ReadonlyArray<number>
  readonly tcpFlags: ReadonlyArray<number>
  readonly icmpTypeCode: number
  readonly icmpType: number
  readonly icmpCode: number
  readonly bytes: number
  readonly packets: number
  readonly reverseBytes: number
  readonly reversePackets: number
  readonly start: TimeSource
  readonly end: TimeSource
  /** Milliseconds (IE 161) or microseconds (IE 162) between start and end, for templates that have only one of them. */
  readonly durationMs: number
  readonly durationUs: number
  /** IE 160 in the record itself. */
  readonly systemInit: number
  readonly inputInterface: number
  readonly outputInterface: number
  readonly direction: number
  readonly rateKind: number
  readonly rateA: number
  readonly rateB: number
  /** Field that names the sampler or selector (IE 48, 302). */
  readonly samplerId: number
  readonly sectionKind: number
  readonly section: number
  /** IE 312, the length of the frame the section was cut from. */
  readonly frameSize: number
  /** IE 233 (or the ASA's own before it was registered) and IE 89: whether what the record tells of was let through. */
  readonly firewallEvent: number
  readonly forwardingStatus: number
  /**
   * Which volumes are totals since the flow began, not since the last record: bits 0 to 3 for octets, packets and both of the reverse
   * direction. `running-totals.ts` takes the difference.
   */
  readonly runningTotals: number
}

type Fields = LearnedTemplate["fields"]

const INTEGER_MAX = 8

const usableInteger = (length: number) => length > 0 && (length <= INTEGER_MAX || length === VARIABLE_LENGTH)

/** Fields that hold `element` as an integer, last occurrence first. */
const every = (fields: Fields, elements: ReadonlyArray<number>, usable: (length: number) => boolean): ReadonlyArray<number> => {
  for (const element of elements) {
    const found: Array<number> = []
    for (let i = fields.length - 1; i >= 0; i--) {
      const [enterprise, id, length] = fields[i]!
      if (enterprise === 0 && id === element && usable(length)) found.push(i)
    }
    if (found.length > 0) return found
  }
  return []
}

/** The first field that holds the first of `elements` the template has. */
const first = (
  fields: Fields,
  elements: ReadonlyArray<number>,
  usable: (length: number) => boolean = usableInteger,
  enterprise = 0
): number => {
  for (const element of elements) {
    const at = fields.findIndex((f) => f[0] === enterprise && f[1] === element && usable(f[2]))
    if (at >= 0) return at
  }
  return -1
}

const isFour = (length: number) => length === 4
const isEight = (length: number) => length === 8
const isSixteen = (length: number) => length === 16
const isSection = (length: number) => length >= 14

const times = (fields: Fields, kinds: ReadonlyArray<readonly [element: number, kind: number]>): TimeSource => {
  for (const [element, kind] of kinds) {
    const field = first(fields, [element], kind === TIME_NTP ? isEight : usableInteger)
    if (field >= 0) return { kind, field }
  }
  return { kind: TIME_NONE, field: -1 }
}

const START: ReadonlyArray<readonly [number, number]> = [
  [152, TIME_MILLISECONDS],
  [154, TIME_NTP],
  [156, TIME_NTP],
  [150, TIME_SECONDS],
  [158, TIME_DELTA_MICROSECONDS],
  [22, TIME_UPTIME]
]
const END: ReadonlyArray<readonly [number, number]> = [
  [153, TIME_MILLISECONDS],
  [155, TIME_NTP],
  [157, TIME_NTP],
  [151, TIME_SECONDS],
  [159, TIME_DELTA_MICROSECONDS],
  [21, TIME_UPTIME]
]
/** The moment of an event or of one observed packet: start and end of records that have neither. */
const OBSERVED: ReadonlyArray<readonly [number, number]> = [
  [323, TIME_MILLISECONDS],
  [324, TIME_NTP],
  [325, TIME_NTP],
  [322, TIME_SECONDS]
]

const rate = (fields: Fields): { readonly rateKind: number; readonly rateA: number; readonly rateB: number } => {
  const interval = first(fields, [34, 50])
  if (interval >= 0) return { rateKind: RATE_INTERVAL, rateA: interval, rateB: -1 }
  const size = first(fields, [309])
  const population = first(fields, [310])
  if (size >= 0 && population >= 0) return { rateKind: RATE_SIZE_POPULATION, rateA: size, rateB: population }
  const taken = first(fields, [305])
  if (taken >= 0) return { rateKind: RATE_INTERVAL_SPACE, rateA: taken, rateB: first(fields, [306]) }
  const probability = first(fields, [311], (length) => length === 4 || length === 8)
  return { rateKind: probability < 0 ? RATE_NONE : RATE_PROBABILITY, rateA: probability, rateB: -1 }
}

/** Where several elements say the same, deltas come before totals; layer 2 octets (352, 353) have the frames' headers in them. */
const OCTETS = [1, 85, 23, 231, 352, 353] as const
const PACKETS = [2, 86, 24, 298] as const
const REVERSE_OCTETS = [1, 85, 23, 352, 353] as const
const REVERSE_PACKETS = [2, 86, 24] as const
const isTotal = (fields: Fields, field: number): boolean => field >= 0 && [85, 86, 353].includes(fields[field]![1])

/** `fields` have passed `template.ts`: at least one octet a record. */
export const compilePlan = (fields: Fields): Plan => {
  const fieldCount = fields.length
  const lengths = new Int32Array(fieldCount)
  const offsets = new Int32Array(fieldCount)
  let minimum = 0
  let variable = false
  for (let i = 0; i < fieldCount; i++) {
    const length = fields[i]![2]
    lengths[i] = length
    offsets[i] = minimum
    if (length === VARIABLE_LENGTH) {
      variable = true
      minimum += 1
    } else {
      minimum += length
    }
  }
  const observed = times(fields, OBSERVED)
  const start = times(fields, START)
  const end = times(fields, END)
  const hasDuration = first(fields, [161, 162]) >= 0
  const ethernet = first(fields, [315, 104], isSection)
  const ip = first(fields, [313], (length) => length >= 20)
  const bytes = first(fields, OCTETS)
  const packets = first(fields, PACKETS)
  const reverseBytes = first(fields, REVERSE_OCTETS, usableInteger, REVERSE_PEN)
  const reversePackets = first(fields, REVERSE_PACKETS, usableInteger, REVERSE_PEN)
  return {
    fieldCount,
    lengths,
    offsets,
    variable,
    minimum,
    source4: every(fields, [8], isFour),
    destination4: every(fields, [12], isFour),
    source6: every(fields, [27], isSixteen),
    destination6: every(fields, [28], isSixteen),
    sourcePort: every(fields, [7, 182, 180], usableInteger),
    destinationPort: every(fields, [11, 183, 181], usableInteger),
    protocol: every(fields, [4], usableInteger),
    tcpFlags: every(fields, [6], usableInteger),
    icmpTypeCode: first(fields, [32, 139]),
    icmpType: first(fields, [176, 178]),
    icmpCode: first(fields, [177, 179]),
    bytes,
    packets,
    reverseBytes: reverseBytes >= 0 ? reverseBytes : first(fields, [232]),
    reversePackets: reversePackets >= 0 ? reversePackets : first(fields, [299]),
    start: start.kind !== TIME_NONE || (hasDuration && end.kind !== TIME_NONE) ? start : observed,
    end: end.kind !== TIME_NONE || (hasDuration && start.kind !== TIME_NONE) ? end : observed,
    durationMs: first(fields, [161]),
    durationUs: first(fields, [162]),
    systemInit: first(fields, [160]),
    inputInterface: first(fields, [10, 252]),
    outputInterface: first(fields, [14, 253]),
    direction: first(fields, [61]),
    ...rate(fields),
    samplerId: first(fields, [302, 48]),
    sectionKind: ethernet >= 0 ? SECTION_ETHERNET : ip >= 0 ? SECTION_IP : SECTION_NONE,
    section: ethernet >= 0 ? ethernet : ip,
    frameSize: first(fields, [312]),
    firewallEvent: first(fields, [233, 40005]),
    forwardingStatus: first(fields, [89]),
    runningTotals: [bytes, packets, reverseBytes, reversePackets].reduce(
      (bits, field, i) => (isTotal(fields, field) ? bits | (1 << i) : bits),
      0
    )
  }
}
