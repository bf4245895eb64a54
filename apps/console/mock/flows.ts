/** Single flow records of the seeded world: made from its dependencies, the same for the same question. */
import { DateTime } from "effect"
import { networkSet } from "#domain/Address.ts"
import { RawFlow, type RawFlowPage, type RawFlowQuery } from "#domain/RawFlow.ts"
import { instant, type World } from "./seed/World.ts"

const kept = 20_000

export const flowSearch = (world: World, query: RawFlowQuery): RawFlowPage => {
  const dependencies = [...world.dependencies.values()]
  if (dependencies.length === 0) return { kept: false, items: [], searchedTo: null }
  const newest = Math.floor(Date.now() / 60_000) * 60_000
  const before = query.after === undefined ? kept : Number(query.after)
  const within = (text: string | undefined) =>
    text === undefined ? undefined : networkSet([text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`])
  const host = within(query.host)
  const peer = within(query.peer)
  const items: Array<RawFlow> = []
  const limit = query.limit ?? 100
  let id = before
  for (; id > 0 && items.length < limit; id--) {
    const one = dependencies[(id * 7919) % dependencies.length]!
    const received = newest - (kept - id) * 900
    if (query.port !== undefined && query.port !== one.port) continue
    if (query.protocol !== undefined && query.protocol !== one.protocol) continue
    if (host !== undefined && !host.hasText(one.client.address) && !host.hasText(one.server.address)) continue
    if (peer !== undefined && !peer.hasText(one.client.address) && !peer.hasText(one.server.address)) continue
    if (query.from !== undefined && received < DateTime.toEpochMillis(query.from)) break
    if (query.to !== undefined && received > DateTime.toEpochMillis(query.to)) continue
    const answers = id % 2 === 0
    const clientPort = 32_768 + ((id * 31) % 28_000)
    items.push(
      new RawFlow({
        id: BigInt(id),
        received: instant(received),
        exporter: world.exporters[id % world.exporters.length]!.address,
        start: instant(received - 1000 - ((id * 37) % 59_000)),
        end: instant(received - 400),
        source: answers ? one.server.address : one.client.address,
        destination: answers ? one.client.address : one.server.address,
        sourcePort: answers ? one.port : clientPort,
        destinationPort: answers ? clientPort : one.port,
        protocol: one.protocol,
        tcpFlags: one.protocol === 6 ? (answers ? 0x1b : 0x1a) : 0,
        octets: BigInt(60 + ((id * 7) % 90_000)),
        packets: BigInt(1 + (id % 90)),
        reverseOctets: 0n,
        reversePackets: 0n,
        sampling: 1,
        inputInterface: 1 + (id % 4),
        outputInterface: 5
      })
    )
  }
  return { kept: true, items, ...(id > 0 && items.length === limit ? { next: String(id) } : {}), searchedTo: null }
}
