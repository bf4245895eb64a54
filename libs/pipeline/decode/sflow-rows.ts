/** Rows of sFlow samples. What a sample says is gathered first: writing twenty columns of one row at a time costs twice as much. */
import { DIRECTION_UNKNOWN } from "./FlowBatch.ts"
import { type Reading, roomOf } from "./Reading.ts"

/** Samples gathered before their rows are written; a datagram of 1,400 octets holds seven. */
const MAX_PENDING = 64
/** Family, source, destination, ports, protocol, TCP flags, octets, packets, interfaces in and out, rate. */
export const FACTS = 12

export interface SflowRows {
  readonly facts: Uint32Array
  /** Rows gathered, and how many may be before they are written. */
  pending: number
  room: number
  /** Where there is no room for one more row, makes some. */
  readonly makeRoom: () => void
  readonly flush: () => void
  /** Both IPv6 addresses at `at` into the row `ahead` of the next one. */
  readonly copyAddresses: (at: number, ahead: number) => void
}

export const makeSflowRows = (reading: Reading): SflowRows => {
  const { outcome, view } = reading
  const facts = new Uint32Array(MAX_PENDING * FACTS)

  const flush = (): void => {
    const { batch, exporterIndex } = reading
    const { bytes, destination, destinationPort, direction, end, exporter, family, inputInterface } = batch
    const { outputInterface, packets, protocol, reverseBytes, reversePackets, sampling, source, sourcePort, start, tcpFlags } =
      batch
    let row = batch.length
    const last = rows.pending * FACTS
    for (let fact = 0; fact < last; fact += FACTS, row++) {
      exporter[row] = exporterIndex
      family[row] = facts[fact]!
      source[row] = facts[fact + 1]!
      destination[row] = facts[fact + 2]!
      sourcePort[row] = facts[fact + 3]!
      destinationPort[row] = facts[fact + 4]!
      protocol[row] = facts[fact + 5]!
      tcpFlags[row] = facts[fact + 6]!
      bytes[row] = facts[fact + 7]!
      packets[row] = facts[fact + 8]!
      reverseBytes[row] = 0
      reversePackets[row] = 0
      start[row] = 0
      end[row] = 0
      inputInterface[row] = facts[fact + 9]!
      outputInterface[row] = facts[fact + 10]!
      sampling[row] = facts[fact + 11]!
      direction[row] = DIRECTION_UNKNOWN
    }
    batch.length = row
    outcome.records += rows.pending
    rows.pending = 0
    rows.room = 0
  }

  const rows: SflowRows = {
    facts,
    pending: 0,
    room: 0,
    makeRoom: () => {
      if (rows.pending < rows.room) return
      if (rows.pending > 0) flush()
      rows.room = Math.min(MAX_PENDING, roomOf(reading.batch, reading.full))
    },
    flush,
    copyAddresses: (at, ahead) => {
      const to = (reading.batch.length + rows.pending + ahead) * 32
      for (let i = 0; i < 32; i += 4) reading.ipv6.setUint32(to + i, view.getUint32(at + i))
    }
  }
  return rows
}
