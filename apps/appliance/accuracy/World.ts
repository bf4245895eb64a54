/** A known world of one scenario: its exporters, every packet that will pass, where it passes, and the truth about it. Pure. */
import { type Seeded, seeded } from "../demo/random.ts"
import type { ExporterOptions } from "./Exporter.ts"
import type { Passage } from "./FlowCache.ts"
import { second } from "./second.ts"
import type { PortChoice, Service } from "./services.ts"
import { keyOf, makeTruth, type Truth } from "./Truth.ts"
import { ask, type Link, type Packets, probe, stay, TCP, tell } from "./traffic.ts"

/** An exporter on the way of a connection. */
export interface Point {
  readonly exporter: string
  readonly only?: "requests" | "replies"
  /** It meets every packet on a second pair of interfaces, too. */
  readonly twice?: boolean
  readonly post?: Passage["post"]
}

export interface World {
  readonly scenario: string
  readonly exporters: ReadonlyArray<ExporterOptions>
  /** In order of time. */
  readonly packets: ReadonlyArray<Packets>
  readonly pointsOf: (link: Link) => ReadonlyArray<Point>
  readonly truths: ReadonlyMap<string, Truth>
  /** Every address that occurs: what is drawn between others is nobody's here. */
  readonly addresses: ReadonlySet<string>
}

export interface Ways {
  /** Which exporters are on the way between two hosts. `pair` counts the pairs of a service from 0. */
  readonly points: (pair: number, client: string, server: string) => ReadonlyArray<Point>
  /** Connections of each dependency; default 9. */
  readonly asks?: number
  /** Lasting connections were opened before and outlast the play. */
  readonly midway?: boolean
  /** Client ports to choose from instead of the service's own choice. */
  readonly from?: PortChoice | ReadonlyArray<number>
  readonly six?: boolean
}

export interface Builder {
  readonly random: Seeded
  readonly durationMs: number
  /** Name of a new exporter, with an address of its own. */
  readonly exporter: (
    options: Omit<ExporterOptions, "name" | "address" | "activeMs" | "idleMs"> & Partial<ExporterOptions>
  ) => string
  readonly serve: (services: ReadonlyArray<Service>, ways: Ways) => void
  /** An address of this world: `server` or `client` machines, or outside. */
  readonly machine: (side: "server" | "client" | "outside", six?: boolean) => string
  readonly truthOf: (service: string, of: Pick<Link, "client" | "server" | "serverPort" | "protocol">) => Truth
  readonly pass: (packets: ReadonlyArray<Packets>, points: ReadonlyArray<Point>) => void
  readonly scan: (points: ReadonlyArray<Point>, targets: number) => void
  /** Servers made so far with a port each listens on. */
  readonly listening: () => ReadonlyArray<{ readonly address: string; readonly port: number; readonly protocol: number }>
}

const ranges: Readonly<Record<"linux" | "windows" | "any" | "privileged", readonly [number, number]>> = {
  linux: [32_768, 60_999],
  windows: [49_152, 65_535],
  any: [1024, 65_535],
  privileged: [665, 1023]
}

const portFrom = (random: Seeded, from: PortChoice | ReadonlyArray<number>, server: number): number =>
  from === "same"
    ? server
    : typeof from === "number"
      ? from
      : typeof from === "string"
        ? random.whole(...ranges[from])
        : random.pick(from)

/** `number`: 0–99, gives the world addresses of its own. */
export const makeWorld = (
  scenario: string,
  number: number,
  seed: number,
  durationMs: number,
  build: (builder: Builder) => void
): World => {
  const random = seeded(Math.imul(seed, 0x9e37_79b1) ^ (number * 7919))
  const exporters: Array<ExporterOptions> = []
  const packets: Array<Packets> = []
  const points = new Map<Link, ReadonlyArray<Point>>()
  const truths = new Map<string, Truth>()
  const addresses = new Set<string>()
  const listening: Array<{ address: string; port: number; protocol: number }> = []
  const made = { server: 0, client: 0, outside: 0 }

  const machine: Builder["machine"] = (side, six = false) => {
    const n = ++made[side]
    const four =
      side === "outside"
        ? `203.0.${100 + number}.${n}`
        : `10.${100 + number}.${(side === "server" ? 1 : 100) + Math.floor(n / 250)}.${1 + (n % 250)}`
    const address = six ? `fd00:${(100 + number).toString(16)}:${side === "server" ? 1 : 2}::${n.toString(16)}` : four
    addresses.add(address)
    return address
  }

  const truthOf: Builder["truthOf"] = (service, { client, protocol, server, serverPort: port }) => {
    const key = keyOf({ client, server, port, protocol })
    const known = truths.get(key)
    if (known !== undefined) return known
    const truth = makeTruth({ scenario, service, client, server, port, protocol })
    truths.set(key, truth)
    return truth
  }

  const pass: Builder["pass"] = (passing, way) => {
    const [first] = passing
    if (first === undefined) return
    points.set(first.link, way)
    for (const one of passing) packets.push(one)
  }

  const connect = (service: Service, client: string, server: string, ways: Ways, pair: number): void => {
    const { name, port, protocol, way } = service
    const path = ways.points(pair, client, server)
    const link = (serverPort = port, clientPort = portFrom(random, ways.from ?? service.from, port)): Link => {
      const truth = truthOf(name, { client, server, serverPort, protocol })
      if (service.either === true) Object.assign(truth, { either: true })
      return { truth, client, server, clientPort, serverPort, protocol }
    }
    if (listening.every((one) => one.address !== server || one.port !== port)) listening.push({ address: server, port, protocol })
    if (way === "stay") {
      // A dependency is seen early in one world, late in another: they begin over the first third
      const from = ways.midway === true ? random.between(0, 300) : random.between(0, durationMs / 3)
      const session = { ...service, every: durationMs / 50, midway: ways.midway ?? false, pushes: service.pushes ?? false }
      pass(stay(link(), from, durationMs, session, random), path)
      return
    }
    const asks = ways.asks ?? 9
    for (let i = 0; i < asks; i++) {
      const at = (i + random.between(0, 0.8)) * (durationMs / asks)
      if (way === "ask" || way === "tell") pass((way === "ask" ? ask : tell)(link(), at, service, random), path)
      else for (const passing of second(way, link, service, at, random)) pass(passing, path)
    }
  }

  const serve: Builder["serve"] = (services, ways) => {
    for (const service of services) {
      const servers = Array.from({ length: service.servers }, () => machine("server", ways.six))
      const clients = Array.from({ length: service.clients }, () => machine("client", ways.six))
      let pair = 0
      for (const server of servers) {
        for (const client of clients) connect(service, client, server, ways, pair++)
        if (service.mesh !== true) continue
        for (const other of servers) if (other !== server) connect(service, other, server, ways, pair++)
      }
    }
  }

  const scan: Builder["scan"] = (way, targets) => {
    const scanner = machine("client")
    const empty = Array.from({ length: targets }, () => machine("server"))
    const every = durationMs / (targets * 4 + listening.length * 3)
    let at = 0
    const touch = (server: string, serverPort: number, answer: "none" | "refused" | "open") => {
      const link: Link = {
        truth: null,
        client: scanner,
        server,
        clientPort: random.whole(33_000, 60_000),
        serverPort,
        protocol: TCP
      }
      pass(probe(link, (at += every), answer, random), way)
    }
    for (let round = 0; round < 3; round++) {
      for (const server of empty) touch(server, random.pick([21, 22, 80, 443, 445, 3389, 8080]), round === 0 ? "refused" : "none")
      for (const { address, port, protocol } of listening) if (protocol === TCP) touch(address, port, "open")
    }
  }

  build({
    random,
    durationMs,
    machine,
    truthOf,
    pass,
    serve,
    scan,
    listening: () => listening,
    exporter: (options) => {
      const name = `${scenario}-${exporters.length + 1}`
      const address = `127.72.${number}.${exporters.length + 1}`
      exporters.push({ name, address, activeMs: durationMs / 8, idleMs: 1500, ...options })
      return name
    }
  })
  packets.sort((a, b) => a.at - b.at)
  return { scenario, exporters, packets, pointsOf: (link) => points.get(link) ?? [], truths, addresses }
}
