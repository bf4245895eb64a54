/**
 * World + time + seed → conversations, as a flow cache would see them: each is one connection, or one piece of a long one that the
 * exporter's active timeout cut off. Pure: time is an argument.
 */
import type { Host } from "./hosts.ts"
import { type Seeded, seeded } from "./random.ts"
import { type DemoDependency, TCP, UDP, type World } from "./world.ts"

export const FIN = 1
export const SYN = 2
export const RST = 4
export const PSH = 8
export const ACK = 16

/** One direction. Octets are IP octets, headers included; flags are the OR over the packets (what NetFlow exports). */
export interface Half {
  readonly packets: number
  readonly bytes: number
  readonly flags: number
}

export interface Conversation {
  readonly client: Host
  readonly server: Host
  readonly clientPort: number
  readonly serverPort: number
  readonly protocol: number
  readonly toServer: Half
  /** No packets: nothing came back. */
  readonly toClient: Half
  /** ms since 1970: first packet of the client, first of the server, last of both. */
  readonly start: number
  readonly answer: number
  readonly end: number
  /** The dependency it belongs to, or null for a probe of the scanner. */
  readonly dependency: DemoDependency | null
}

/** A day of the demo lasts ten minutes and begins at 22:00, so that the backup of the night is seen soon. */
export const DAY_MS = 600_000
const FIRST_HOUR = 22
export const hourOf = (sinceStartMs: number): number => (FIRST_HOUR + (sinceStartMs / DAY_MS) * 24) % 24
const isNight = (hour: number) => hour >= 1 && hour < 4

/** For so long after the start everything talks more often: a newcomer should not wait for the map. */
export const BURST_MS = 16_000
const ACTIVE_TIMEOUT_MS = 10_000
const BURST_TIMEOUT_MS = 3500
const NOTHING: Half = { packets: 0, bytes: 0, flags: 0 }
const MSS = 1440

export interface Traffic {
  /** Conversations that ended after the last call and not after `nowMs`. */
  readonly until: (nowMs: number) => ReadonlyArray<Conversation>
}

/** One thing that makes conversations, one after another: a dependency, one connection of its pool, or the scanner. */
interface Source {
  upcoming: Conversation | null
  readonly after: (previous: Conversation | null) => Conversation
}

export const makeTraffic = (world: World, startMs: number, seed = 1): Traffic => {
  const addresses = new Map(world.hosts.map((host) => [host.address, host]))
  const taken = new Set(world.dependencies.map((dependency) => dependency.port))
  const sources: Array<Source> = []
  // Every source has dice of its own, so that what is played does not depend on how often somebody asks
  const dice = () => seeded(Math.imul(seed, 0x9e37_79b1) + sources.length * 7919)
  for (const dependency of world.dependencies) {
    const { pool, nightly } = dependency.profile
    for (let i = 0; i < Math.max(1, pool); i++) {
      const random = dice()
      const ports = makePorts(random, taken)
      sources.push(pool > 0 && !nightly ? pooled(dependency, random, ports, startMs) : repeated(dependency, random, ports, startMs))
    }
  }
  sources.push(scanning(world.scanner, addresses, dice(), startMs))
  for (const source of sources) source.upcoming = source.after(null)
  return {
    until: (nowMs) => {
      const ended: Array<Conversation> = []
      for (const source of sources) {
        while (source.upcoming !== null && source.upcoming.end <= nowMs) {
          ended.push(source.upcoming)
          source.upcoming = source.after(source.upcoming)
        }
      }
      return ended.sort((a, b) => a.end - b.end)
    }
  }
}

type PortOf = (dependency: DemoDependency) => number

/** Client ports as the systems choose them: Linux 32768–60999, Windows 49152–65535, anything above 1023 behind somebody's NAT. */
const makePorts =
  (random: Seeded, taken: ReadonlySet<number>): PortOf =>
  ({ client, profile }) => {
    if (profile.lowPort) return random.whole(665, 1023)
    for (;;) {
      const port =
        client.zone === "outside"
          ? random.whole(1024, 65_535)
          : client.zone === "office"
            ? random.whole(49_152, 65_535)
            : random.whole(32_768, 60_999)
      if (!taken.has(port)) return port
    }
  }

/** Round-trip time as a router half way sees it, ms. */
const answersAfter = (a: Host, b: Host, random: Seeded): number => {
  if (a.zone === "outside" || b.zone === "outside") return random.whole(18, 60)
  if (a.zone === "branch" || b.zone === "branch" || a.zone === "office") return random.whole(4, 9)
  return random.whole(1, 2)
}

/** Counts of both directions: payload, headers, and on TCP the handshake and the acknowledgements that carry nothing. */
const volumes = (dependency: DemoDependency, random: Seeded, flags: number, share = 1): readonly [Half, Half] => {
  const { profile, client } = dependency
  const six = client.address.includes(":") ? 20 : 0
  const request = random.skewed(...profile.request) * share
  const response = random.skewed(...profile.response) * share
  if (profile.protocol === UDP) {
    const half = (payload: number): Half => {
      const packets = Math.max(1, Math.ceil(payload / 500))
      return { packets, bytes: Math.round(payload) + packets * (28 + six), flags: 0 }
    }
    return [half(request), profile.oneWay ? NOTHING : half(response)]
  }
  const half = (payload: number, opposite: number): Half => {
    const packets = 3 + Math.ceil(payload / MSS) + Math.floor(Math.ceil(opposite / MSS) / 2)
    return { packets, bytes: Math.round(payload) + packets * (52 + six), flags }
  }
  return [half(request, response), half(response, request)]
}

const conversation = (
  dependency: DemoDependency,
  random: Seeded,
  port: number,
  span: { readonly start: number; readonly end: number; readonly flags: number; readonly share?: number }
): Conversation => {
  const [toServer, toClient] = volumes(dependency, random, span.flags, span.share)
  const start = Math.round(span.start)
  const answer = start + answersAfter(dependency.client, dependency.server, random)
  return {
    client: dependency.client,
    server: dependency.server,
    clientPort: port,
    serverPort: dependency.port,
    protocol: dependency.profile.protocol,
    toServer,
    toClient,
    start,
    answer,
    end: Math.max(Math.round(span.end), toClient.packets > 0 ? answer : start),
    dependency
  }
}

/** A new connection each time. */
const repeated = (dependency: DemoDependency, random: Seeded, portOf: PortOf, startMs: number): Source => {
  const { profile } = dependency
  let start = startMs + random.between(0, 1500)
  const advance = () => {
    const since = start - startMs
    const hour = hourOf(since)
    const busy = !profile.daily || (hour >= 7 && hour < 20) ? 1 : 0.5
    const gap = (60_000 / profile.perMinute / busy) * random.between(0.4, 1.6)
    start += since < BURST_MS - 4000 ? Math.min(gap, random.between(2000, 3500)) : gap
  }
  return {
    upcoming: null,
    after: (previous) => {
      if (previous !== null) advance()
      if (profile.nightly) start = tonight(start - startMs, random) + startMs
      const length = random.skewed(...profile.seconds) * 1000
      const end = start + (start - startMs < BURST_MS ? Math.min(length, 2000) : length)
      return conversation(dependency, random, portOf(dependency), { start, end, flags: SYN | ACK | PSH | FIN })
    }
  }
}

/** The same moment if it is night, else a moment soon after the next nightfall. */
const tonight = (sinceMs: number, random: Seeded): number => {
  if (isNight(hourOf(sinceMs))) return sinceMs
  const hours = (24 + 1 - hourOf(sinceMs)) % 24
  return sinceMs + (hours / 24) * DAY_MS + random.between(1, 4000)
}

/** A connection that stays for minutes. Pieces after the first carry no SYN: who opened it can no longer be read off the flags. */
const pooled = (dependency: DemoDependency, random: Seeded, portOf: PortOf, startMs: number): Source => {
  let port = portOf(dependency)
  let left = 0
  return {
    upcoming: null,
    after: (previous) => {
      const opening = left === 0
      const start = previous === null ? startMs + random.between(0, 800) : previous.end + (opening ? random.whole(200, 3000) : 1)
      if (opening) {
        if (previous !== null) port = portOf(dependency)
        left = random.whole(12, 40)
      }
      left -= 1
      const timeout = start - startMs < BURST_MS ? BURST_TIMEOUT_MS : ACTIVE_TIMEOUT_MS
      const flags = ACK | PSH | (opening ? SYN : 0) | (left === 0 ? FIN : 0)
      const length = timeout * random.between(0.9, 1)
      return conversation(dependency, random, port, { start, end: start + length, flags, share: length / ACTIVE_TIMEOUT_MS })
    }
  }
}

/** Ports that nobody in the world listens on, so that no probe is ever answered by a SYN of its own. */
const probed = [21, 23, 80, 111, 135, 139, 445, 1433, 1521, 2375, 3389, 5900, 5985, 6000, 7001, 8000, 8888, 10_000, 11_211, 27_017]
const swept = ["10.10.0.", "10.10.10.", "10.10.20.", "10.10.25.", "10.10.30.", "10.10.40.", "10.10.250.", "10.20.10.", "10.30.10."]
const PROBES_PER_SECOND = 12
/** A single SYN is 44 octets: IP, TCP and the MSS option. */
const PROBE_BYTES = 44

const scanning = (scanner: Host, known: ReadonlyMap<string, Host>, random: Seeded, startMs: number): Source => {
  const internal = [...known.keys()].filter((address) => address.startsWith("10."))
  let port = random.whole(33_000, 60_000)
  return {
    upcoming: null,
    after: (previous) => {
      if (random.next() < 0.002) port = random.whole(33_000, 60_000)
      const start = (previous?.start ?? startMs) + Math.max(1, Math.round((1000 / PROBES_PER_SECOND) * random.between(0.2, 1.8)))
      let address = random.pick(swept) + random.whole(1, 254)
      if (random.next() < 0.3) address = random.pick(internal)
      if (address === scanner.address) address = "10.10.40.254"
      const target = known.get(address)
      // An open host refuses (RST), most are not there or do not answer
      const refused = target !== undefined && random.next() < 0.7
      return {
        client: scanner,
        server: target ?? { name: "", address, zone: zoneOf(address) },
        clientPort: port,
        serverPort: random.pick(probed),
        protocol: TCP,
        toServer: { packets: 1, bytes: PROBE_BYTES, flags: SYN },
        toClient: refused ? { packets: 1, bytes: 40, flags: RST | ACK } : NOTHING,
        start,
        answer: start + 1,
        end: refused ? start + 1 : start,
        dependency: null
      }
    }
  }
}

const zoneOf = (address: string): Host["zone"] =>
  address.startsWith("10.20.")
    ? "office"
    : address.startsWith("10.30.")
      ? "branch"
      : address.startsWith("10.10.40.")
        ? "infra"
        : "data"
