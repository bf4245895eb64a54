/**
 * IPFIX messages (RFC 7011): biflow templates for IPv4 and IPv6 (RFC 5103), and options data about the exporting process, as a firewall
 * sends them.
 */
import { type ExportRecord, MAX_PAYLOAD } from "./ExportRecord.ts"
import { makeWriter, type Writer } from "./writer.ts"

const TEMPLATE_IPV4 = 300
const TEMPLATE_IPV6 = 301
const TEMPLATE_PROCESS = 302
const REVERSE_PEN = 29_305
const UINT32 = 0x1_0000_0000

// Information elements of the IANA registry
const octetDeltaCount = 1
const packetDeltaCount = 2
const protocolIdentifier = 4
const tcpControlBits = 6
const sourceTransportPort = 7
const ingressInterface = 10
const destinationTransportPort = 11
const egressInterface = 14
const exportedMessageTotalCount = 41
const exportedFlowRecordTotalCount = 42
const exportingProcessId = 144
const flowStartMilliseconds = 152
const flowEndMilliseconds = 153
const biflowDirection = 239
const selectorId = 302
const samplingPacketInterval = 305
const samplingPacketSpace = 306

type Field = readonly [element: number, length: number, enterprise?: number]

const common: ReadonlyArray<Field> = [
  [sourceTransportPort, 2],
  [destinationTransportPort, 2],
  [protocolIdentifier, 1],
  [biflowDirection, 1],
  [tcpControlBits, 2],
  [tcpControlBits, 2, REVERSE_PEN],
  [ingressInterface, 4],
  [egressInterface, 4],
  [flowStartMilliseconds, 8],
  [flowEndMilliseconds, 8],
  [packetDeltaCount, 8],
  [octetDeltaCount, 8],
  [packetDeltaCount, 8, REVERSE_PEN],
  [octetDeltaCount, 8, REVERSE_PEN]
]
const directionField: Field = [61, 1]
const paddingOctets = 210
const selectorField: Field = [selectorId, 8]
/** After address translation: addresses, then ports. */
const postFields: ReadonlyArray<Field> = [
  [225, 4],
  [226, 4],
  [227, 2],
  [228, 2]
]
const processScope: Field = [exportingProcessId, 4]
const processFields: ReadonlyArray<Field> = [
  [exportedMessageTotalCount, 8],
  [exportedFlowRecordTotalCount, 8]
]
const samplerFields: ReadonlyArray<Field> = [
  [samplingPacketInterval, 4],
  [samplingPacketSpace, 4]
]

export interface IpfixOptions {
  readonly domain?: number
  /** One of N packets; announced in options data (one taken, N − 1 left out) unless it is 1. */
  readonly sampling?: number
  /** Number of the selector: the rate is announced for it, and records name it (RFC 5477 §8). */
  readonly selector?: number
  /** Records say whether they were taken on the way out (IE 61). */
  readonly direction?: boolean
  /** Records carry the tuple after address translation (`post`, IPv4 only). */
  readonly translation?: boolean
  /** So many octets of padding lead every record (IE 210); when that changes, templates are sent again under their ids. */
  readonly padding?: (nowMs: number) => number
  readonly templateEveryMs?: number
}

export interface Ipfix {
  /** Templates lead whenever they are due, also when there is no record. A record's reverse counts travel with it. */
  readonly encode: (records: ReadonlyArray<ExportRecord>, nowMs: number) => ReadonlyArray<Uint8Array>
}

export const makeIpfix = (asked: IpfixOptions): Ipfix => {
  const { domain = 0, direction = false, padding, sampling = 1, selector, templateEveryMs = 20_000, translation = false } = asked
  // Data records sent in messages before this one (RFC 7011 §3.1)
  let sequence = 0
  let messages = 0
  let announcedMs = Number.NEGATIVE_INFINITY
  const options = sampling > 1 ? [...processFields, ...samplerFields] : processFields
  const scope = selector === undefined ? processScope : selectorField
  const fields = [...common, ...(direction ? [directionField] : []), ...(selector === undefined ? [] : [selectorField])]
  const layout = (
    padded: number
  ): ReadonlyArray<{ readonly id: number; readonly octets: number; readonly fields: ReadonlyArray<Field> }> => {
    const lead: ReadonlyArray<Field> = padded === 0 ? [] : [[paddingOctets, padded]]
    return [
      { id: TEMPLATE_IPV4, octets: 4, fields: [...lead, [8, 4], [12, 4], ...fields, ...(translation ? postFields : [])] },
      { id: TEMPLATE_IPV6, octets: 16, fields: [...lead, [27, 16], [28, 16], ...fields] }
    ]
  }
  let padded = 0
  let templates = layout(padded)

  return {
    encode: (records, nowMs) => {
      const datagrams: Array<Uint8Array> = []
      let out: Writer | undefined
      let inMessage = 0
      const finish = () => {
        if (out === undefined) return
        out.patch16(2, out.length())
        datagrams.push(out.done())
        sequence = (sequence + inMessage) % UINT32
        messages++
        inMessage = 0
        out = undefined
      }
      const open = (need: number): Writer => {
        if (out !== undefined && out.length() + need > MAX_PAYLOAD) finish()
        if (out === undefined) {
          out = makeWriter()
          out.u16(10)
          out.u16(0)
          out.u32(Math.floor(nowMs / 1000))
          out.u32(sequence)
          out.u32(domain)
        }
        return out
      }

      const wanted = padding?.(nowMs) ?? 0
      if (wanted !== padded) {
        padded = wanted
        templates = layout(padded)
        announcedMs = Number.NEGATIVE_INFINITY
      }
      if (nowMs - announcedMs >= templateEveryMs) {
        announcedMs = nowMs
        const writer = open(320)
        set(writer, 2, () => {
          for (const template of templates) writeTemplate(writer, template.id, template.fields)
        })
        set(writer, 3, () => writeTemplate(writer, TEMPLATE_PROCESS, [scope, ...options], 1))
        set(writer, TEMPLATE_PROCESS, () => {
          if (selector === undefined) writer.u32(1)
          else writer.u64(selector)
          writer.u64(messages)
          writer.u64(sequence)
          if (sampling > 1) {
            writer.u32(1)
            writer.u32(sampling - 1)
          }
        })
        inMessage++
      }
      for (const template of templates) {
        const mine = records.filter((record) => record.source.length === template.octets)
        const size = template.fields.reduce((sum, [, length]) => sum + length, 0)
        for (let at = 0; at < mine.length; ) {
          const writer = open(4 + size)
          set(writer, template.id, () => {
            while (at < mine.length && writer.length() + size <= MAX_PAYLOAD) {
              const record = mine[at]!
              for (let i = 0; i < padded; i++) writer.u8(0x5a)
              writeRecord(writer, record)
              if (direction) writer.u8(record.egress === true ? 1 : 0)
              if (selector !== undefined) writer.u64(selector)
              if (translation && template.octets === 4) writePost(writer, record)
              at++
              inMessage++
            }
          })
        }
      }
      finish()
      return datagrams
    }
  }
}

const set = (out: Writer, id: number, body: () => void): void => {
  const from = out.length()
  out.u16(id)
  out.u16(0)
  body()
  out.patch16(from + 2, out.length() - from)
}

const writeTemplate = (out: Writer, id: number, fields: ReadonlyArray<Field>, scopes = 0): void => {
  out.u16(id)
  out.u16(fields.length)
  if (scopes > 0) out.u16(scopes)
  for (const [element, length, enterprise] of fields) {
    out.u16(enterprise === undefined ? element : element | 0x8000)
    out.u16(length)
    if (enterprise !== undefined) out.u32(enterprise)
  }
}

const INITIATOR = 1

const writeRecord = (out: Writer, record: ExportRecord): void => {
  out.bytes(record.source)
  out.bytes(record.destination)
  out.u16(record.sourcePort)
  out.u16(record.destinationPort)
  out.u8(record.protocol)
  out.u8(record.reversePackets > 0 ? INITIATOR : 0)
  out.u16(record.tcpFlags)
  out.u16(record.reverseFlags)
  out.u32(record.input)
  out.u32(record.output)
  out.u64(record.startMs)
  out.u64(record.endMs)
  out.u64(record.packets)
  out.u64(record.bytes)
  out.u64(record.reversePackets)
  out.u64(record.reverseBytes)
}

const writePost = (out: Writer, record: ExportRecord): void => {
  const { destination, destinationPort, source, sourcePort } = record.post ?? record
  out.bytes(source)
  out.bytes(destination)
  out.u16(sourcePort)
  out.u16(destinationPort)
}
