/** Conversations of a slice that are kept as evidence of its edges (EvidenceSampler.ts). */
import type { ConversationColumns, WindowSlice } from "#domain/Window.ts"
import { addressKey } from "./address-key.ts"
import { isAttempt } from "./attempt.ts"
import type { EvidenceSample, EvidenceSampler } from "./EvidenceSampler.ts"
import { type EdgeSums, TWO_PORTS } from "./edge-sums.ts"

/** Whether `row` is a better example of an edge than `other`: one connection rather than several, else whichever chance has it. */
export const betterExample = (c: ConversationColumns, row: number, other: number, salt: number): boolean => {
  const one = c.aPorts[row] === 0
  if (one !== (c.aPorts[other] === 0)) return one
  return mixed(row, salt) > mixed(other, salt)
}

const mixed = (row: number, salt: number): number => {
  const hash = Math.imul(row ^ salt, 0x9e3779b1)
  return (hash ^ (hash >>> 15)) >>> 0
}

/** `ends`, `values`, `texts`, `group`: addresses of the rows, and by their numbers. */
export const sampleEvidence = (
  slice: WindowSlice,
  c: ConversationColumns,
  edges: EdgeSums,
  ends: Int32Array,
  values: ReadonlyArray<number>,
  texts: ReadonlyArray<string>,
  group: ReadonlyArray<boolean>,
  sampler: EvidenceSampler
): ReadonlyArray<EvidenceSample> => {
  const samples: Array<EvidenceSample> = []
  const size = edges.size()
  const start = sampler.start(size)
  const take = (most: number, wants: (edge: number) => boolean) => {
    for (let i = 0; i < size && samples.length < most; i++) {
      const edge = (start + i) % size
      if (!wants(edge)) continue
      const row = edges.example[edge]!
      const client = edges.client[edge]!
      const server = edges.server[edge]!
      const protocol = c.protocol[row]!
      const flags = edges.evidence.flags[edge]!
      if (group[server] || client === server || protocol === 1 || protocol === 58) continue
      if (isAttempt(protocol, flags & 0xff, flags >>> 8)) continue
      const family = c.family[row]!
      const exporter = slice.exporters[c.exporter[row]!]!.address
      const port = edges.port[edge]!
      const wanted = sampler.take(
        addressKey(family, values[client]!, texts[client]!),
        addressKey(family, values[server]!, texts[server]!),
        (port << 8) | protocol,
        exporter,
        slice.windowStart
      )
      if (!wanted) continue
      samples.push({
        client: texts[client]!,
        server: texts[server]!,
        port,
        protocol,
        a: texts[ends[row * 2]!]!,
        b: texts[ends[row * 2 + 1]!]!,
        aPort: c.aPort[row]!,
        bPort: c.bPort[row]!,
        ports: c.aPorts[row]! + 1,
        recordsAb: c.recordsAb[row]!,
        recordsBa: c.recordsBa[row]!,
        bytesAb: c.bytesAb[row]!,
        bytesBa: c.bytesBa[row]!,
        packetsAb: c.packetsAb[row]!,
        packetsBa: c.packetsBa[row]!,
        flagsAb: c.flagsAb[row]!,
        flagsBa: c.flagsBa[row]!,
        sampling: c.sampling[row]!,
        exporter,
        first: c.first[row]!,
        last: c.last[row]!
      })
    }
  }
  // whether an edge and the one that faces it are one conversation is told by these alone (match-edges.ts, retire-guesses.ts)
  take(sampler.most >> 1, (edge) => (edges.evidence.marks[edge]! & TWO_PORTS) === 0)
  take(sampler.most, () => true)
  return samples
}
