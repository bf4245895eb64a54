/** NetFlow v5 datagrams: 24 octets of header, up to 30 records of 48. IPv4 only, times relative to the exporter's start. */
import type { ExportRecord } from "./ExportRecord.ts"
import { makeWriter } from "./writer.ts"

const RECORDS_PER_DATAGRAM = 30
const UINT32 = 0x1_0000_0000

export interface Netflow5Options {
  /** When the exporter started, ms since 1970: uptimes count from here. */
  readonly bootMs: number
  readonly engineType?: number
  readonly engineId?: number
  /** One of N packets; 1 or absent: the header says nothing, as unsampled exporters do. */
  readonly sampling?: number
}

export interface Netflow5 {
  /** Records of other families and reverse counts cannot be said in v5 and are left out. */
  readonly encode: (records: ReadonlyArray<ExportRecord>, nowMs: number) => ReadonlyArray<Uint8Array>
}

export const makeNetflow5 = ({ bootMs, engineType = 0, engineId = 0, sampling = 1 }: Netflow5Options): Netflow5 => {
  let sequence = 0
  const uptime = (atMs: number) => (((atMs - bootMs) % UINT32) + UINT32) % UINT32
  return {
    encode: (records, nowMs) => {
      const four = records.filter((record) => record.source.length === 4)
      const datagrams: Array<Uint8Array> = []
      for (let from = 0; from < four.length; from += RECORDS_PER_DATAGRAM) {
        const part = four.slice(from, from + RECORDS_PER_DATAGRAM)
        const out = makeWriter(24 + part.length * 48)
        out.u16(5)
        out.u16(part.length)
        out.u32(uptime(nowMs))
        out.u32(Math.floor(nowMs / 1000))
        out.u32(Math.floor(nowMs % 1000) * 1_000_000)
        out.u32(sequence)
        out.u8(engineType)
        out.u8(engineId)
        // two bits of mode (1: packet interval), fourteen of interval
        out.u16(sampling > 1 ? 0x4000 | sampling : 0)
        for (const record of part) {
          out.bytes(record.source)
          out.bytes(record.destination)
          out.zeros(4)
          out.u16(record.input)
          out.u16(record.output)
          out.u32(record.packets)
          out.u32(record.bytes)
          out.u32(uptime(record.startMs))
          out.u32(uptime(record.endMs))
          out.u16(record.sourcePort)
          out.u16(record.destinationPort)
          out.u8(0)
          out.u8(record.tcpFlags)
          out.u8(record.protocol)
          out.zeros(5)
          out.u8(24)
          out.u8(24)
          out.zeros(2)
        }
        sequence = (sequence + part.length) % UINT32
        datagrams.push(out.done())
      }
      return datagrams
    }
  }
}
