/** NetFlow v9 datagrams for tests and benchmarks, written from RFC 3954: one template, and data sets that follow it. */

/** IPv4 source and destination, ports, protocol, flags, octets, packets, first and last switched: 38 octets a record. */
const fields: ReadonlyArray<readonly [element: number, length: number]> = [
  [8, 4],
  [12, 4],
  [7, 2],
  [11, 2],
  [4, 1],
  [6, 1],
  [1, 8],
  [2, 8],
  [22, 4],
  [21, 4]
]
const RECORD = fields.reduce((sum, [, length]) => sum + length, 0)
export const TEMPLATE_ID = 256
/** Uptime that the headers claim, ms. */
const UPTIME = 1_000_000

const header = (view: DataView, count: number, exportMs: number, sequence: number): void => {
  view.setUint16(0, 9)
  view.setUint16(2, count)
  view.setUint32(4, UPTIME)
  view.setUint32(8, Math.floor(exportMs / 1000))
  view.setUint32(12, sequence)
  view.setUint32(16, 7)
}

export const aTemplate = (exportMs: number, sequence: number): Uint8Array => {
  const bytes = new Uint8Array(20 + 8 + fields.length * 4)
  const view = new DataView(bytes.buffer)
  header(view, 1, exportMs, sequence)
  view.setUint16(20, 0)
  view.setUint16(22, 8 + fields.length * 4)
  view.setUint16(24, TEMPLATE_ID)
  view.setUint16(26, fields.length)
  fields.forEach(([element, length], i) => {
    view.setUint16(28 + i * 4, element)
    view.setUint16(30 + i * 4, length)
  })
  return bytes
}

export interface TestFlow {
  readonly source: number
  readonly destination: number
  readonly sourcePort: number
  readonly destinationPort: number
  readonly protocol: number
  readonly flags: number
  readonly bytes: number
  readonly packets: number
  /** ms before the export time. */
  readonly startedAgo: number
  readonly endedAgo: number
}

/** A connection of HTTPS: the client's side. */
export const aFlow: TestFlow = {
  source: 0x0a000001,
  destination: 0x0a000002,
  sourcePort: 40_000,
  destinationPort: 443,
  protocol: 6,
  flags: 0x1b,
  bytes: 1000,
  packets: 10,
  startedAgo: 2000,
  endedAgo: 1000
}

export const aDatagram = (exportMs: number, sequence: number, flows: ReadonlyArray<TestFlow>): Uint8Array => {
  const bytes = new Uint8Array(20 + 4 + flows.length * RECORD)
  const view = new DataView(bytes.buffer)
  header(view, flows.length, exportMs, sequence)
  view.setUint16(20, TEMPLATE_ID)
  view.setUint16(22, 4 + flows.length * RECORD)
  flows.forEach((flow, i) => {
    const at = 24 + i * RECORD
    view.setUint32(at, flow.source)
    view.setUint32(at + 4, flow.destination)
    view.setUint16(at + 8, flow.sourcePort)
    view.setUint16(at + 10, flow.destinationPort)
    view.setUint8(at + 12, flow.protocol)
    view.setUint8(at + 13, flow.flags)
    view.setBigUint64(at + 14, BigInt(flow.bytes))
    view.setBigUint64(at + 22, BigInt(flow.packets))
    view.setUint32(at + 30, UPTIME - flow.startedAgo)
    view.setUint32(at + 34, UPTIME - flow.endedAgo)
  })
  return bytes
}

/** Clients 10.1.0.x speak HTTPS with 10.2.0.1: 1,500 octets in 10 packets each, the odd ones from the server. */
export const someRecords = (exportMs: number, sequence: number, count: number): Uint8Array =>
  aDatagram(
    exportMs,
    sequence,
    Array.from({ length: count }, (_, i) => {
      const client = 0x0a010000 + (i >> 1)
      const server = 0x0a020001
      const port = 40_000 + sequence
      const there = i % 2 === 0
      return {
        source: there ? client : server,
        destination: there ? server : client,
        sourcePort: there ? port : 443,
        destinationPort: there ? 443 : port,
        protocol: 6,
        flags: 0x1b,
        bytes: 1500,
        packets: 10,
        startedAgo: there ? 1000 : 990,
        endedAgo: 10
      }
    })
  )
