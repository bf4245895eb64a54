/** What is run in the lab, through real clients, and therefore what any map of it must show. */
import { Effect } from "effect"
import type { Machine, Network } from "./network.ts"
import { type LabFault, run } from "./processes.ts"
import { DNS, HIGH, HTTP, METRICS, POSTGRES, type Servers, SSH } from "./servers.ts"

const TCP = 6
const UDP = 17

/**
 * Octets on a wire are at most so many times the payload: headers of the segments that the kernel happened to cut, acknowledgements, what opens a
 * connection. 1.06 to 1.09 were seen; what is counted twice is at least 2.
 */
export const HEADERS = 1.25

export interface LabDependency {
  readonly client: string
  readonly server: string
  readonly port: number
  readonly protocol: number
  readonly connections: number
  /** Octets of payload that the server surely sent, where the client knows (HTTP); the wire carries headers on top. */
  readonly payloadToClient: number
}

/** `client → server:port/protocol`: how a dependency is told from another. */
export const label = (d: Pick<LabDependency, "client" | "server" | "port" | "protocol">) =>
  `${d.client} → ${d.server}:${d.port}/${d.protocol}`

const PAGE = 300_000

export interface Errand {
  readonly from: Machine
  readonly to: Machine
  readonly port: number
  readonly six?: boolean
  readonly protocol?: number
  readonly times: number
  readonly payload?: number
  /** Port that a second connection of each is drawn with, which then is the one that carries the payload (FTP). */
  readonly second?: number
  /** One connection; or, where `once`, all of them. */
  readonly argv: (address: string) => ReadonlyArray<string>
  readonly once?: boolean
}

export const curl = (port: number, octets: number) => (address: string) => [
  "curl",
  "-sSf",
  "-o",
  "/dev/null",
  `http://${address.includes(":") ? `[${address}]` : address}:${port}/${octets}`
]

const errands = ({ sshKey }: Servers): ReadonlyArray<Errand> => {
  const dnsClient = `${import.meta.dirname}/dns-client.mjs`
  const ssh = [
    "-F",
    "/dev/null",
    "-i",
    sshKey,
    "-o",
    "StrictHostKeyChecking=no",
    "-o",
    "UserKnownHostsFile=/dev/null",
    "-o",
    "BatchMode=yes"
  ]
  const psql = (address: string) => [
    "psql",
    "-X",
    "-q",
    "-o",
    "/dev/null",
    `postgresql://lab@${address}:${POSTGRES}/postgres?sslmode=disable&gssencmode=disable`
  ]
  const query = ["-c", "SELECT repeat('x', 1000) FROM generate_series(1, 200)"]
  const list: ReadonlyArray<Errand> = [
    { from: "client-1", to: "server-1", port: HTTP, times: 5, payload: PAGE, argv: curl(HTTP, PAGE) },
    { from: "client-2", to: "server-1", port: HTTP, times: 5, payload: PAGE / 2, argv: curl(HTTP, PAGE / 2) },
    { from: "client-2", to: "server-1", port: HIGH, times: 5, payload: PAGE / 3, argv: curl(HIGH, PAGE / 3) },
    { from: "client-1", to: "server-1", port: HTTP, six: true, times: 5, payload: PAGE / 3, argv: curl(HTTP, PAGE / 3) },
    { from: "server-2", to: "client-2", port: METRICS, times: 5, payload: PAGE / 5, argv: curl(METRICS, PAGE / 5) },
    { from: "client-1", to: "server-1", port: POSTGRES, times: 5, argv: (address) => [...psql(address), ...query] },
    {
      from: "client-1",
      to: "server-2",
      port: SSH,
      times: 5,
      argv: (address) => ["ssh", ...ssh, `root@${address}`, "head -c 20000 /dev/zero | base64"]
    },
    {
      from: "client-2",
      to: "server-2",
      port: DNS,
      protocol: UDP,
      times: 8,
      once: true,
      argv: (address) => [process.execPath, dnsClient, address, "www.shop.test", "8"]
    }
  ]
  return list
}

/** Runs everything once, some of it at the same time; the truth about what ran. */
export const runTraffic = (network: Network, servers: Servers): Effect.Effect<ReadonlyArray<LabDependency>, LabFault> =>
  runErrands(network, errands(servers))

export const runErrands = Effect.fnUntraced(function* (
  network: Network,
  list: ReadonlyArray<Errand>
): Effect.fn.Return<ReadonlyArray<LabDependency>, LabFault> {
  const once = ({ argv, from, six, to }: Errand) =>
    run(...network.at(from, ...argv(six === true ? network.address6(to) : network.address(to))))
  yield* Effect.forEach(list, (errand) => Effect.repeat(once(errand), { times: errand.once === true ? 0 : errand.times - 1 }), {
    concurrency: 3,
    discard: true
  })
  return list.flatMap(({ from, to, port, six, protocol, times, payload, second }) => {
    const first = {
      client: six === true ? network.address6(from) : network.address(from),
      server: six === true ? network.address6(to) : network.address(to),
      port,
      protocol: protocol ?? TCP,
      connections: times,
      payloadToClient: (payload ?? 0) * times
    }
    return second === undefined
      ? [first]
      : [
          { ...first, payloadToClient: 0 },
          { ...first, port: second }
        ]
  })
})

/** Client ports of the tail: Linux gives none of these to anybody by itself. */
export const tailPorts = { first: 61_100, last: 61_199 } as const
const TAIL = 8_000_000

/**
 * One more download of the first dependency. Some exporters get packets from the kernel in blocks that come only when full; what is
 * asserted must not be in the last, half-full one. An exporter may see all, some or none of the tail.
 */
export const runTail = (network: Network): Effect.Effect<void, LabFault> =>
  run(
    ...network.at(
      "client-1",
      "curl",
      "--local-port",
      `${tailPorts.first}-${tailPorts.last}`,
      ...curl(HTTP, TAIL)(network.address("server-1")).slice(1)
    )
  ).pipe(Effect.asVoid)
