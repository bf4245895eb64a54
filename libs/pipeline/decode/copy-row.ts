import type { FlowBatch } from "./FlowBatch.ts"

/** Writes row `i` of `from` over row `j` of `to`, which may be the same batch. */
export const copyRow = (from: FlowBatch, i: number, to: FlowBatch, j: number): void => {
  to.exporter[j] = from.exporter[i]!
  to.family[j] = from.family[i]!
  to.source[j] = from.source[i]!
  to.destination[j] = from.destination[i]!
  if (from.family[i] === 6) to.ipv6.set(from.ipv6.subarray(i << 5, (i + 1) << 5), j << 5)
  to.sourcePort[j] = from.sourcePort[i]!
  to.destinationPort[j] = from.destinationPort[i]!
  to.protocol[j] = from.protocol[i]!
  to.tcpFlags[j] = from.tcpFlags[i]!
  to.bytes[j] = from.bytes[i]!
  to.packets[j] = from.packets[i]!
  to.reverseBytes[j] = from.reverseBytes[i]!
  to.reversePackets[j] = from.reversePackets[i]!
  to.start[j] = from.start[i]!
  to.end[j] = from.end[i]!
  to.inputInterface[j] = from.inputInterface[i]!
  to.outputInterface[j] = from.outputInterface[i]!
  to.sampling[j] = from.sampling[i]!
  to.direction[j] = from.direction[i]!
}
