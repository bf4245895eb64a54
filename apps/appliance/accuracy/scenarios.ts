/** The scenarios: each a world of its own, and what may be asked of it. */
import { octetsOf } from "../demo/observe.ts"
import { allKinds, everyday, type Service } from "./services.ts"
import { symmetricPorts } from "./symmetric.ts"
import { ask, type Link, type Packets, TCP } from "./traffic.ts"
import type { Builder, Point } from "./World.ts"

export interface Scenario {
  readonly name: string
  readonly title: string
  /** Its exporters miss nothing: every dependency must be found, and nothing else. */
  readonly complete: boolean
  /** Volumes are estimates of random samplers. */
  readonly sampled?: boolean
  /** Flow workers it needs; default 1. Scenarios with the same number are played together. */
  readonly workers?: number
  readonly build: (world: Builder) => void
}

const at =
  (...exporters: ReadonlyArray<string>) =>
  (): ReadonlyArray<Point> =>
    exporters.map((exporter) => ({ exporter }))

/** Pairs of hosts share the exporters out: the first pair to the first one, and so on. */
const inTurn =
  (...exporters: ReadonlyArray<string>) =>
  (pair: number): ReadonlyArray<Point> => [{ exporter: exporters[pair % exporters.length]! }]

/** Few dependencies with many packets: what a sampler sees well. And name service, which it does not. */
const heavy: ReadonlyArray<Service> = [
  ...everyday
    .filter((one) => one.way === "ask" && one.protocol === TCP)
    .map((one) => ({ ...one, response: [200_000, 3_000_000] as const })),
  ...everyday.filter((one) => one.way === "stay").map((one) => ({ ...one, response: [40_000, 400_000] as const })),
  ...everyday.filter((one) => one.name === "dns")
]

export const scenarios: ReadonlyArray<Scenario> = [
  {
    name: "complete",
    title: "NetFlow v9, IPFIX and NetFlow v5, unsampled, both directions",
    complete: true,
    build: ({ exporter, serve }) => {
      const all = [
        exporter({ protocol: "netflow9" }),
        exporter({ protocol: "ipfix", biflow: true }),
        exporter({ protocol: "netflow5" })
      ]
      for (const one of all) serve(everyday, { points: at(one) })
    }
  },
  {
    name: "services",
    title: `${allKinds.length} kinds of services: symmetric and high ports, UDP, FTP data, clusters, sessions where the server speaks first`,
    complete: true,
    build: ({ exporter, serve }) => {
      serve(allKinds, { points: at(exporter({ protocol: "netflow9" })) })
      serve(allKinds, { points: at(exporter({ protocol: "ipfix" })) })
    }
  },
  {
    name: "nat",
    title: "address translation of clients and of a service, seen inside, outside and by the gateway itself",
    complete: true,
    build: (world) => translated(world)
  },
  {
    name: "sflow",
    title: "sFlow 1:50",
    complete: false,
    sampled: true,
    build: ({ exporter, serve }) => serve(heavy, { points: at(exporter({ protocol: "sflow5", sampling: 50 })) })
  },
  {
    name: "sampled-netflow",
    title: "NetFlow v9 1:100 announced in options data, NetFlow v5 1:64 in its header",
    complete: false,
    sampled: true,
    build: ({ exporter, serve }) =>
      serve(heavy, {
        points: inTurn(exporter({ protocol: "netflow9", sampling: 100 }), exporter({ protocol: "netflow5", sampling: 64 }))
      })
  },
  {
    name: "sampled-ipfix",
    title: "IPFIX 1:20 announced for a selector, 1:40 for the process",
    complete: false,
    sampled: true,
    build: ({ exporter, serve }) =>
      serve(heavy, {
        points: inTurn(exporter({ protocol: "ipfix", sampling: 20, selector: 7 }), exporter({ protocol: "ipfix", sampling: 40 }))
      })
  },
  {
    name: "duplicates",
    title: "two routers on one path, ingress and egress metered, sFlow beside NetFlow, requests and replies on different routers",
    complete: true,
    build: ({ exporter, serve }) => {
      const [one, other] = [exporter({ protocol: "netflow9" }), exporter({ protocol: "netflow5", activeMs: 2500 })]
      serve(everyday, { points: at(one, other) })
      serve(everyday, { points: at(exporter({ protocol: "ipfix", bothWays: true })) })
      const [leaf, core] = [exporter({ protocol: "sflow5", sampling: 20 }), exporter({ protocol: "netflow9" })]
      serve(everyday, { points: at(leaf, core) })
      const [there, back] = [exporter({ protocol: "netflow9" }), exporter({ protocol: "ipfix" })]
      serve(everyday, {
        points: () => [
          { exporter: there, only: "requests" },
          { exporter: back, only: "replies" }
        ]
      })
      serve(everyday, { points: at(one, there, exporter({ protocol: "ipfix", biflow: true })) })
    }
  },
  {
    name: "two-interfaces",
    title: "one switch meters every packet on two pairs of interfaces and does not say in which direction",
    complete: true,
    build: ({ exporter, serve }) => {
      const both = exporter({ protocol: "netflow9" })
      serve(everyday, { points: () => [{ exporter: both, twice: true }] })
    }
  },
  {
    name: "requests-only",
    title: "only what clients send is exported",
    complete: false,
    build: ({ exporter, serve }) => {
      const one = exporter({ protocol: "netflow9" })
      serve(allKinds, { points: () => [{ exporter: one, only: "requests" }] })
    }
  },
  {
    name: "replies-only",
    title: "only what servers send is exported",
    complete: false,
    build: ({ exporter, serve }) => {
      const one = exporter({ protocol: "netflow9" })
      serve(
        // that TFTP's answers belong to port 69 stands in the request alone
        allKinds.filter(({ way }) => way !== "tell" && way !== "tftp"),
        { points: () => [{ exporter: one, only: "replies" }] }
      )
    }
  },
  {
    name: "clocks",
    title: "exporters three hours ahead, five behind, drifting, and set forward and back in the middle",
    complete: true,
    build: ({ durationMs, exporter, serve }) => {
      const hour = 3_600_000
      serve(everyday, {
        points: inTurn(
          exporter({ protocol: "netflow9", clock: () => 3 * hour }),
          exporter({ protocol: "netflow5", clock: () => -5 * hour }),
          exporter({ protocol: "ipfix", clock: (since) => since * 0.02 }),
          exporter({ protocol: "ipfix", clock: (since) => (since > durationMs / 2 ? hour : 0) }),
          exporter({ protocol: "ipfix", clock: (since) => (since > durationMs / 2 ? -600_000 : 0) })
        )
      })
    }
  },
  {
    name: "loss",
    title: "1 and 5 % of the datagrams are lost",
    complete: false,
    build: ({ exporter, serve }) => {
      serve(everyday, { points: at(exporter({ protocol: "netflow9", loss: 0.01 })) })
      serve(everyday, { points: at(exporter({ protocol: "ipfix", loss: 0.05 })) })
    }
  },
  {
    name: "late",
    title: "datagrams overtake each other, one in ten comes seconds later",
    complete: true,
    build: ({ durationMs, exporter, serve }) => {
      const late = { share: 0.1, ms: Math.min(6000, durationMs / 8) }
      serve(everyday, { points: at(exporter({ protocol: "netflow9", jitterMs: 400, late })) })
      serve(everyday, { points: at(exporter({ protocol: "ipfix", biflow: true, jitterMs: 400, late })) })
    }
  },
  {
    name: "long",
    title: "connections opened before anybody looked, cut by the active timeout, no SYN and no FIN",
    complete: true,
    build: ({ durationMs, exporter, serve }) => {
      const lasting = allKinds.filter(({ way }) => way === "stay")
      const activeMs = durationMs / 12
      for (const options of [{ protocol: "netflow9" }, { protocol: "ipfix", biflow: true }, { protocol: "netflow5" }] as const) {
        serve(lasting, { points: at(exporter({ ...options, activeMs, idleMs: durationMs / 25 })), midway: true })
      }
    }
  },
  {
    name: "no-flags",
    title: "NetFlow v5 with all TCP flags zero",
    complete: true,
    build: ({ exporter, serve }) =>
      serve(
        allKinds.filter(({ protocol }) => protocol === TCP),
        { points: at(exporter({ protocol: "netflow5", flags: false })) }
      )
  },
  {
    name: "scanner",
    title: "a port scan over everything: closed, silent and open ports",
    complete: true,
    build: ({ exporter, scan, serve }) => {
      const points = at(exporter({ protocol: "netflow9" }))
      serve(everyday, { points })
      scan(points(), 120)
    }
  },
  {
    name: "churn",
    title: "client ports used again at once, and client ports that are somebody else's service",
    complete: true,
    build: ({ exporter, serve }) => {
      const points = at(exporter({ protocol: "netflow9" }))
      const asking = everyday.filter(({ way }) => way === "ask")
      serve(asking, { points, asks: 40, from: [40_001, 40_002, 40_003] })
      serve(asking, { points, asks: 40, from: "any" })
      // an address translator takes whatever is free: every third connection comes from a port that elsewhere is a service
      serve(asking, { points, asks: 12, from: [3306, 8080, 9200, 41_234, 27_801, 58_377, 2311, 11_876, 63_020] })
    }
  },
  {
    name: "restarts",
    title: "exporters start anew twice; templates come after the data",
    complete: true,
    build: ({ durationMs, exporter, serve }) => {
      const restarts = [durationMs * 0.35, durationMs * 0.7]
      serve(everyday, { points: at(exporter({ protocol: "netflow9", restarts })) })
      serve(everyday, { points: at(exporter({ protocol: "ipfix", restarts })) })
      serve(everyday, { points: at(exporter({ protocol: "netflow9", templatesLateMs: 2500 })) })
    }
  },
  {
    name: "layouts",
    title: "templates change their layout under the same number, and change back",
    complete: true,
    build: ({ durationMs, exporter, serve }) => {
      const padding = (since: number) => (since > durationMs * 0.35 && since < durationMs * 0.7 ? 7 : 0)
      for (const protocol of ["netflow9", "ipfix"] as const) serve(everyday, { points: at(exporter({ protocol, padding })) })
    }
  },
  {
    name: "ipv6",
    title: "IPv6 in NetFlow v9 and IPFIX",
    complete: true,
    build: ({ exporter, serve }) => {
      serve(allKinds, { points: at(exporter({ protocol: "netflow9" })), six: true })
      serve(everyday, { points: at(exporter({ protocol: "ipfix", biflow: true })), six: true })
    }
  },
  {
    name: "workers",
    title: "three workers on the same ports, exporters that change their source port with every datagram, two on one path",
    complete: true,
    workers: 3,
    build: ({ exporter, serve }) => {
      serve(everyday, { points: at(exporter({ protocol: "netflow9", sockets: 5 })) })
      serve(everyday, { points: at(exporter({ protocol: "ipfix", biflow: true, sockets: 5 })) })
      serve(everyday, { points: at(exporter({ protocol: "netflow9" }), exporter({ protocol: "netflow5" })) })
    }
  },
  {
    name: "symmetric",
    title: "from a port to the same port: NTP, DNS, IKE, VXLAN and peers, two exporters that disagree about who began",
    complete: true,
    build: symmetricPorts
  }
]

/** Clients behind one address, and a service behind another: what stands on the wire on either side of the gateway is true there. */
const translated = ({ durationMs, exporter, machine, pass, random, truthOf }: Builder): void => {
  const inside = exporter({ protocol: "netflow9" })
  const outside = exporter({ protocol: "netflow9" })
  const gateway = exporter({ protocol: "ipfix", biflow: true, translation: true })
  const what = { request: [200, 2000], response: [800, 120_000] } as const
  const play = (link: Link, post: Link): void => {
    for (let i = 0; i < 9; i++) {
      const clientPort = random.whole(32_768, 60_999)
      const before: Link = { ...link, clientPort }
      const after: Link = { ...post, clientPort: post.client === link.client ? clientPort : random.whole(1024, 65_535) }
      const packets = ask(before, (i + random.between(0, 0.8)) * (durationMs / 9), what, random)
      const translation = {
        source: octetsOf(after.client),
        destination: octetsOf(after.server),
        sourcePort: after.clientPort,
        destinationPort: after.serverPort
      }
      const clientInside = link.client.startsWith("10.")
      pass(packets, [{ exporter: clientInside ? inside : outside }, { exporter: gateway, post: translation }])
      pass(
        packets.map((one): Packets => ({ ...one, link: after, at: one.at + 0.05 })),
        [{ exporter: clientInside ? outside : inside }]
      )
    }
  }
  const linkOf = (service: string, client: string, server: string, serverPort: number): Link => {
    const ends = { client, server, serverPort, protocol: TCP }
    return { ...ends, truth: truthOf(service, ends), clientPort: 0 }
  }
  const address = machine("outside")
  const webs = [machine("outside"), machine("outside")]
  for (let i = 0; i < 8; i++) {
    const client = machine("client")
    for (const web of webs) {
      play(linkOf("https through the gateway", client, web, 443), linkOf("https, translated", address, web, 443))
    }
  }
  const [virtual, real] = [machine("outside"), machine("server")]
  for (let i = 0; i < 8; i++) {
    const client = machine("outside")
    play(linkOf("a published service", client, virtual, 443), linkOf("a published service, inside", client, real, 8443))
  }
}
