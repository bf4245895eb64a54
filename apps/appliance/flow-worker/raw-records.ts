/**
 * Single flow records on their way out of a worker, where they are kept: copied from each batch before it is folded, sent by the second or by
 * the chunk. At most so many a second; what is more is counted and left out, and the map does not miss it.
 */
import { makeChunk, type RawChunk } from "#domain/RawChunk.ts"
import type { FlowBatch } from "#pipeline/decode/FlowBatch.ts"

const CHUNK_ROWS = 5000

export interface RawRecords {
  /** Copies the rows of the batch; `at` is their arrival, `skewMs` what is added to an exporter's times. */
  readonly take: (batch: FlowBatch, skewMs: Float64Array, at: number) => void
  /** Once a second: sends what there is and allows the next second's records. */
  readonly tick: () => void
}

export const makeRawRecords = (
  maxRate: number,
  exporterAddress: (index: number) => string,
  send: (chunk: RawChunk, leftOut: number) => void
): RawRecords => {
  let exporters: Array<string> = []
  let numbers = new Map<number, number>()
  let chunk = makeChunk(CHUNK_ROWS, exporters)
  let rows = 0
  let allowed = maxRate
  let leftOut = 0

  const flush = (): void => {
    if (rows === 0) return
    send({ ...chunk, rows }, leftOut)
    leftOut = 0
    exporters = []
    numbers = new Map()
    chunk = makeChunk(CHUNK_ROWS, exporters)
    rows = 0
  }
  const numberOf = (index: number): number => {
    let number = numbers.get(index)
    if (number === undefined) {
      number = exporters.push(exporterAddress(index)) - 1
      numbers.set(index, number)
    }
    return number
  }

  return {
    take: (batch, skewMs, at) => {
      for (let i = 0; i < batch.length; i++) {
        if (allowed === 0) {
          leftOut += batch.length - i
          return
        }
        allowed--
        const exporter = batch.exporter[i]!
        const skew = skewMs[exporter]!
        chunk.exporter[rows] = numberOf(exporter)
        chunk.received[rows] = at
        chunk.start[rows] = batch.start[i] === 0 ? at : batch.start[i]! + skew
        chunk.end[rows] = batch.end[i] === 0 ? at : batch.end[i]! + skew
        chunk.family[rows] = batch.family[i]!
        chunk.source[rows] = batch.source[i]!
        chunk.destination[rows] = batch.destination[i]!
        if (batch.family[i] === 6) chunk.ipv6.set(batch.ipv6.subarray(i * 32, i * 32 + 32), rows * 32)
        chunk.sourcePort[rows] = batch.sourcePort[i]!
        chunk.destinationPort[rows] = batch.destinationPort[i]!
        chunk.protocol[rows] = batch.protocol[i]!
        chunk.tcpFlags[rows] = batch.tcpFlags[i]!
        chunk.bytes[rows] = batch.bytes[i]!
        chunk.packets[rows] = batch.packets[i]!
        chunk.reverseBytes[rows] = batch.reverseBytes[i]!
        chunk.reversePackets[rows] = batch.reversePackets[i]!
        chunk.sampling[rows] = batch.sampling[i]!
        chunk.inputInterface[rows] = batch.inputInterface[i]!
        chunk.outputInterface[rows] = batch.outputInterface[i]!
        if (++rows === CHUNK_ROWS) flush()
      }
    },
    tick: () => {
      flush()
      allowed = maxRate
    }
  }
}
