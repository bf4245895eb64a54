/** What one call of the decoder saw. One mutable object per decoder, reused: read it before the next call, never keep it. */

export const VERSION_UNKNOWN = 0
export const VERSION_NETFLOW5 = 5
export const VERSION_NETFLOW9 = 9
export const VERSION_IPFIX = 10
/** sFlow v5, told apart from NetFlow v5 by its 32-bit version word. */
export const VERSION_SFLOW5 = 105

export type FlowVersion =
  | typeof VERSION_UNKNOWN
  | typeof VERSION_NETFLOW5
  | typeof VERSION_NETFLOW9
  | typeof VERSION_IPFIX
  | typeof VERSION_SFLOW5

/** What was wrong with a datagram, or with one set or sample of it. A closed set, so that it can label a counter. */
export const malformedReasons = [
  "unknown-version",
  "short-header",
  "message-length",
  "record-count",
  "set-length",
  "template-field-count",
  "template-zero-length",
  "template-id",
  "template-scope",
  "record-truncated",
  "sample-length",
  "sample-truncated",
  "address-type",
  "frame-truncated"
] as const
export type MalformedReason = (typeof malformedReasons)[number]

export interface DecodeOutcome {
  version: FlowVersion
  /** v9 source id, IPFIX observation domain, sFlow sub-agent id, v5 engine type · 256 + engine id. */
  observationDomain: number
  /** Sequence number of the header, unsigned 32 bits. */
  sequence: number
  /**
   * How far the next datagram's sequence number lies ahead: 1 where the protocol counts datagrams (v9, sFlow), the number of data
   * records where it counts records (v5, IPFIX), -1 when that cannot be known (an IPFIX set without template, a malformed one).
   */
  sequenceStep: number
  /** Export time of the header in ms since 1970 by the exporter's clock; 0 for sFlow, which has none. */
  exportMs: number
  /** Exporter's uptime in ms from the header; 0 for IPFIX. */
  uptimeMs: number
  /** Flow records decoded by this call, released ones not counted. */
  records: number
  /** Of all flow records, those that tell of traffic that was not let through (IE 233, IE 89): they are not in the batch. */
  denied: number
  /** Flow records whose conversation was found inside a tunnel (tunnel.ts). */
  tunnelled: number
  /** Records of options templates. */
  optionsRecords: number
  /** Template records and options template records received, repeats included. */
  templates: number
  optionsTemplates: number
  withdrawals: number
  /** Data sets put aside because their template is not known yet, and data sets refused because the buffer was full. */
  held: number
  heldRefused: number
  /** Flow records appended from sets that had been put aside. */
  released: number
  /** Data sets whose template is not known at this moment: held + heldRefused. */
  unknownSets: number
  /** sFlow samples by kind. */
  flowSamples: number
  expandedFlowSamples: number
  counterSamples: number
  expandedCounterSamples: number
  discardSamples: number
  otherSamples: number
  /** sFlow: the agent's address in text form, else "". */
  agent: string
  /** First complaint about this datagram, "" when there was none, and how many there were. */
  malformed: MalformedReason | ""
  complaints: number
}

export const makeDecodeOutcome = (): DecodeOutcome => ({
  version: VERSION_UNKNOWN,
  observationDomain: 0,
  sequence: 0,
  sequenceStep: -1,
  exportMs: 0,
  uptimeMs: 0,
  records: 0,
  denied: 0,
  tunnelled: 0,
  optionsRecords: 0,
  templates: 0,
  optionsTemplates: 0,
  withdrawals: 0,
  held: 0,
  heldRefused: 0,
  released: 0,
  unknownSets: 0,
  flowSamples: 0,
  expandedFlowSamples: 0,
  counterSamples: 0,
  expandedCounterSamples: 0,
  discardSamples: 0,
  otherSamples: 0,
  agent: "",
  malformed: "",
  complaints: 0
})

/** Something in it was what it says. Sets that wait for a template do not count: nobody knows whether they are what they say. */
export const decodable = (outcome: DecodeOutcome): boolean =>
  outcome.records +
    outcome.released +
    outcome.optionsRecords +
    outcome.templates +
    outcome.optionsTemplates +
    outcome.flowSamples +
    outcome.counterSamples +
    outcome.discardSamples +
    outcome.otherSamples >
  0
