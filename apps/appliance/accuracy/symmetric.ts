/** Conversations from a port to the same port, seen by two exporters that do not agree about who began. */
import { ask, type Link, type Packets, UDP } from "./traffic.ts"
import type { Builder } from "./World.ts"

interface Kind {
  readonly name: string
  readonly port: number
  readonly clients: number
  readonly servers: number
}

const served: ReadonlyArray<Kind> = [
  { name: "ntp, clients on 123", port: 123, clients: 8, servers: 2 },
  { name: "dns, forwarders on 53", port: 53, clients: 6, servers: 2 },
  { name: "ike, one gateway", port: 500, clients: 5, servers: 1 },
  { name: "vxlan, one gateway", port: 4789, clients: 4, servers: 1 }
]
const peers: ReadonlyArray<Kind> = [123, 500, 4500, 5405].map((port) => ({
  name: `peers on ${port}`,
  port,
  clients: 1,
  servers: 1
}))

const polls = 12
const what = { request: [48, 90], response: [48, 90] } as const
/** What the other exporter meters questions too late by. */
const lateMs = 60

export const symmetricPorts = ({ durationMs, exporter, machine, pass, random, truthOf }: Builder): void => {
  const one = exporter({ protocol: "netflow9" })
  const other = exporter({ protocol: "ipfix", activeMs: 2500 })
  const converse = ({ name, port }: Kind, client: string, server: string, equals: boolean): void => {
    const truth = truthOf(name, { client, server, serverPort: port, protocol: UDP })
    if (equals) Object.assign(truth, { either: true })
    const link: Link = { truth, client, server, clientPort: port, serverPort: port, protocol: UDP }
    // the truth counts a packet once
    const again: Link = { ...link, truth: null }
    for (let i = 0; i < polls; i++) {
      const back = equals && random.next() < 0.5
      const packets = ask(link, (i + random.between(0, 0.8)) * (durationMs / polls), what, random).map(
        (packet): Packets => ({ ...packet, toServer: packet.toServer !== back })
      )
      pass(packets, [{ exporter: one }])
      pass(
        packets.map((packet): Packets => ({ ...packet, link: again, at: packet.at + (packet.toServer ? lateMs : 0) })),
        [{ exporter: other }]
      )
    }
  }
  for (const [kinds, equals] of [[served, false] as const, [peers, true] as const]) {
    for (const kind of kinds) {
      const servers = Array.from({ length: kind.servers }, () => machine("server"))
      const clients = Array.from({ length: kind.clients }, () => machine("client"))
      for (const client of clients) for (const server of servers) converse(kind, client, server, equals)
    }
  }
}
