/** NetFlow v9 datagrams (RFC 3954): templates for IPv4 and IPv6, an options template that announces the sampler. */
import { type ExportRecord, MAX_PAYLOAD } from "./ExportRecord.ts"
import { makeWriter, type Writer } from "./writer.ts"

const TEMPLATE_IPV4 = 256
const TEMPLATE_IPV6 = 257
const TEMPLATE_SAMPLER = 258
const SAMPLER_ID = 1
const UINT32 = 0x1_0000_0000

// field types of RFC 3954 §8
const IN_BYTES = 1
const IN_PKTS = 2
const PROTOCOL = 4
const TCP_FLAGS = 6
const L4_SRC_PORT = 7
const INPUT_SNMP = 10
const L4_DST_PORT = 11
const OUTPUT_SNMP = 14
const LAST_SWITCHED = 21
const FIRST_SWITCHED = 22
const FLOW_SAMPLER_ID = 48
const FLOW_SAMPLER_MODE = 49
const FLOW_SAMPLER_RANDOM_INTERVAL = 50
// paddingOctets of the IPFIX registry, which grew from this one
const PADDING = 210

type Field = readonly [type: number, length: number]

const common: ReadonlyArray<Field> = [
  [L4_SRC_PORT, 2],
  [L4_DST_PORT, 2],
  [PROTOCOL, 1],
  [TCP_FLAGS, 1],
  [FLOW_SAMPLER_ID, 2],
  [INPUT_SNMP, 4],
  [OUTPUT_SNMP, 4],
  [IN_PKTS, 4],
  [IN_BYTES, 4],
  [FIRST_SWITCHED, 4],
  [LAST_SWITCHED, 4]
]
interface Template {
  readonly id: number
  readonly octets: number
  readonly fields: ReadonlyArray<Field>
}
const layout = (padded: number): ReadonlyArray<Template> => {
  const lead: ReadonlyArray<Field> = padded === 0 ? [] : [[PADDING, padded]]
  return [
    { id: TEMPLATE_IPV4, octets: 4, fields: [...lead, [8, 4], [12, 4], ...common] },
    { id: TEMPLATE_IPV6, octets: 16, fields: [...lead, [27, 16], [28, 16], ...common] }
  ]
}

export interface Netflow9Options {
  /** When the exporter started, ms since 1970: uptimes count from here. */
  readonly bootMs: number
  readonly sourceId?: number
  /** One of N packets; announced in options data unless it is 1. */
  readonly sampling?: number
  /** So many octets of padding lead every record; when that changes, templates are sent again under their ids. */
  readonly padding?: (nowMs: number) => number
  readonly templateEveryMs?: number
}

export interface Netflow9 {
  /** Templates lead whenever they are due, also when there is no record. */
  readonly encode: (records: ReadonlyArray<ExportRecord>, nowMs: number) => ReadonlyArray<Uint8Array>
}

export const makeNetflow9 = (options: Netflow9Options): Netflow9 => {
  const { bootMs, padding, sourceId = 0, sampling = 1, templateEveryMs = 20_000 } = options
  let padded = 0
  let templates = layout(padded)
  let sequence = 0
  let announcedMs = Number.NEGATIVE_INFINITY
  const uptime = (atMs: number) => (((atMs - bootMs) % UINT32) + UINT32) % UINT32

  return {
    encode: (records, nowMs) => {
      const datagrams: Array<Uint8Array> = []
      // The header has whole seconds only: both its times are of the last full second, so that uptime 0 is the same instant in each
      const second = Math.floor(nowMs / 1000) * 1000
      let out: Writer | undefined
      let count = 0
      const finish = () => {
        if (out === undefined) return
        out.patch16(2, count)
        datagrams.push(out.done())
        out = undefined
      }
      const open = (need: number): Writer => {
        if (out !== undefined && out.length() + need > MAX_PAYLOAD) finish()
        if (out === undefined) {
          out = makeWriter()
          count = 0
          out.u16(9)
          out.u16(0)
          out.u32(uptime(second))
          out.u32(second / 1000)
          out.u32(sequence)
          out.u32(sourceId)
          sequence = (sequence + 1) % UINT32
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
        const writer = open(260)
        count += announceTemplates(writer, templates)
        if (sampling > 1) count += announceSampler(writer, sampling)
      }
      for (const template of templates) {
        const mine = records.filter((record) => record.source.length === template.octets)
        const size = template.fields.reduce((sum, [, length]) => sum + length, 0)
        for (let at = 0; at < mine.length; ) {
          const writer = open(4 + size)
          const from = writer.length()
          writer.u16(template.id)
          writer.u16(0)
          while (at < mine.length && writer.length() + size <= MAX_PAYLOAD) {
            for (let i = 0; i < padded; i++) writer.u8(0x5a)
            writeRecord(writer, mine[at]!, uptime, sampling > 1 ? SAMPLER_ID : 0)
            at++
            count++
          }
          writer.align()
          writer.patch16(from + 2, writer.length() - from)
        }
      }
      finish()
      return datagrams
    }
  }
}

const announceTemplates = (out: Writer, templates: ReadonlyArray<Template>): number => {
  const from = out.length()
  out.u16(0)
  out.u16(0)
  for (const template of templates) {
    out.u16(template.id)
    out.u16(template.fields.length)
    for (const [type, length] of template.fields) {
      out.u16(type)
      out.u16(length)
    }
  }
  out.patch16(from + 2, out.length() - from)
  return templates.length
}

/** Options template and its one record (RFC 3954 §6): in the scope of the system, sampler 1 takes one of N at random. */
const announceSampler = (out: Writer, sampling: number): number => {
  const from = out.length()
  out.u16(1)
  out.u16(0)
  out.u16(TEMPLATE_SAMPLER)
  out.u16(4)
  out.u16(12)
  out.u16(1)
  out.u16(4)
  for (const [type, length] of [
    [FLOW_SAMPLER_ID, 2],
    [FLOW_SAMPLER_MODE, 1],
    [FLOW_SAMPLER_RANDOM_INTERVAL, 4]
  ] as const) {
    out.u16(type)
    out.u16(length)
  }
  out.align()
  out.patch16(from + 2, out.length() - from)
  const data = out.length()
  out.u16(TEMPLATE_SAMPLER)
  out.u16(0)
  out.zeros(4)
  out.u16(SAMPLER_ID)
  out.u8(2)
  out.u32(sampling)
  out.align()
  out.patch16(data + 2, out.length() - data)
  return 2
}

const writeRecord = (out: Writer, record: ExportRecord, uptime: (atMs: number) => number, sampler: number): void => {
  out.bytes(record.source)
  out.bytes(record.destination)
  out.u16(record.sourcePort)
  out.u16(record.destinationPort)
  out.u8(record.protocol)
  out.u8(record.tcpFlags)
  out.u16(sampler)
  out.u32(record.input)
  out.u32(record.output)
  out.u32(record.packets)
  out.u32(record.bytes)
  out.u32(uptime(record.startMs))
  out.u32(uptime(record.endMs))
}
