/**
 * What an asset probably is, by what it serves. A guess from ports alone: several services speak, the most telling one wins (the lowest
 * rank). Serving something that tells nothing makes a server; serving nothing seen makes no guess.
 */
import type { AssetType } from "#domain/Asset.ts"

export interface ServiceType {
  /** IP protocol number. */
  readonly protocol: number
  readonly port: number
  readonly type: AssetType
  /** Lower tells more. */
  readonly rank: number
}

const TCP = 6
const UDP = 17

/** Most telling first: a domain controller also answers DNS and NTP, a mail server also HTTPS, everything answers SSH. */
const table: ReadonlyArray<readonly [type: AssetType, tcp: ReadonlyArray<number>, udp: ReadonlyArray<number>]> = [
  ["directory", [88, 389, 464, 636, 3268, 3269], [88, 389, 464]],
  ["dhcp", [], [67, 547]],
  ["vpn-gateway", [1194, 1723], [500, 1194, 1701, 4500, 51820]],
  ["database", [1433, 1521, 3306, 5432, 5433, 5984, 6379, 7474, 8086, 9042, 9200, 9300, 11211, 26257, 27017, 50000], [11211]],
  ["message-queue", [1883, 4222, 5671, 5672, 6650, 8883, 9092, 9093, 61613, 61616], []],
  ["storage", [111, 139, 445, 548, 2049, 3260, 10809], [2049]],
  ["mail", [25, 110, 143, 465, 587, 993, 995], []],
  ["voice", [2000, 5060, 5061], [2427, 5060]],
  ["camera", [554], [554]],
  ["printer", [515, 631], []],
  ["log-collector", [514, 1514, 5044, 6514, 12201], [514, 1514, 12201]],
  ["monitoring", [3000, 9090, 9093, 10050, 10051], [162]],
  ["dns", [53, 853], [53]],
  ["ntp", [], [123]],
  ["proxy", [1080, 3128], []],
  ["router", [179], [520, 521]]
]

export const serviceTypes: ReadonlyArray<ServiceType> = table.flatMap(([type, tcp, udp], rank) => [
  ...tcp.map((port) => ({ protocol: TCP, port, type, rank })),
  ...udp.map((port) => ({ protocol: UDP, port, type, rank }))
])

const byEnd = new Map<number, ServiceType>()
for (const one of serviceTypes) {
  const key = one.protocol * 65_536 + one.port
  // a port in two lines: the more telling one
  if (!byEnd.has(key)) byEnd.set(key, one)
}

/** The same decision for one asset, in memory; undefined when it serves nothing. */
export const typeOf = (served: Iterable<{ readonly protocol: number; readonly port: number }>): AssetType | undefined => {
  let best: ServiceType | undefined
  let any = false
  for (const { protocol, port } of served) {
    any = true
    const known = byEnd.get(protocol * 65_536 + port)
    if (known !== undefined && (best === undefined || known.rank < best.rank)) best = known
  }
  return best?.type ?? (any ? "server" : undefined)
}
