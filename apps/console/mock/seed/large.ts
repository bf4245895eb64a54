/** Seed `large`: 1,000 assets with 10,000 dependencies among them, and 9,000 more that were seen and are quiet now. */
import type { AssetType } from "#domain/Asset.ts"
import { assetTypes } from "#domain/AssetFamily.ts"
import type { AssetId } from "#domain/ids.ts"
import { type makeBuilder, seeded } from "./World.ts"

const services: ReadonlyArray<readonly [number, number, string | null]> = [
  [443, 6, "https"],
  [5432, 6, "postgresql"],
  [53, 17, "domain"],
  [8080, 6, "http-alt"],
  [6379, 6, "redis"],
  [9092, 6, "kafka"],
  [389, 6, "ldap"],
  [514, 17, "syslog"],
  [2049, 6, "nfs"],
  [47000, 6, null]
]

/** What talks, spread over networks of 40; every network has its few servers that most of it uses. */
export const large = (builder: ReturnType<typeof makeBuilder>, nodes = 1_000, edges = 10_000, quiet = 9_000) => {
  const random = seeded(7)
  const types = Object.keys(assetTypes) as ReadonlyArray<AssetType>
  const type = () => (random() < 0.5 ? "virtual-machine" : types[Math.floor(random() * types.length)]!)
  const ids: Array<AssetId> = []
  for (let i = 0; i < nodes; i++) {
    const external = i % 25 === 24
    const network = Math.floor(i / 40)
    const name = external ? null : `h${String(i).padStart(4, "0")}`
    const address = external
      ? `198.${18 + (i % 2)}.${network}.${(i % 40) + 1}`
      : `10.${10 + (network >> 3)}.${network}.${(i % 40) + 10}`
    ids.push(
      builder.host({
        name,
        address,
        type: external ? "unknown" : type(),
        internal: !external,
        environment: network % 3 === 0 ? "prod" : "lab",
        mac: !external
      })
    )
  }
  const seen = new Set<string>()
  while (seen.size < edges) {
    const c = Math.floor(random() * nodes)
    const near = random() < 0.7
    const base = near ? Math.floor(c / 40) * 40 : Math.floor(random() * (nodes / 40)) * 40
    const s = Math.min(nodes - 1, base + Math.floor(random() ** 3 * 40))
    const [port, protocol, service] = services[Math.floor(random() * services.length)]!
    const key = `${c}>${s}:${port}/${protocol}`
    if (c === s || seen.has(key)) continue
    seen.add(key)
    builder.link({
      client: ids[c]!,
      server: ids[s]!,
      port,
      protocol,
      service,
      rate: 10 ** (2 + random() * 6),
      state: random() < 0.04 ? "stale" : "active",
      series: false
    })
  }
  for (let i = 0; i < quiet; i++) {
    builder.host({
      name: `q${String(i).padStart(5, "0")}`,
      address: `10.${100 + (i >> 13)}.${(i >> 5) & 255}.${(i & 31) + 20}`,
      type: type(),
      environment: "lab"
    })
  }
  builder.settle()
  return () => {}
}
