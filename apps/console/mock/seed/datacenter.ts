/** Seed `full`: one site with a DMZ, three tiers, infrastructure, storage, an office, cameras, and the world outside. */
import type { AssetType } from "#domain/Asset.ts"
import type { AssetId } from "#domain/ids.ts"
import { type makeBuilder, seeded } from "./World.ts"

type Builder = ReturnType<typeof makeBuilder>

interface Row {
  readonly name: string
  readonly type: AssetType
  readonly from: number
  readonly count?: number
}

const inside: ReadonlyArray<readonly [prefix: string, environment: string | null, rows: ReadonlyArray<Row>]> = [
  [
    "10.0.0.",
    "network",
    [
      { name: "core-rt", type: "router", from: 1, count: 2 },
      { name: "leaf-sw", type: "switch", from: 11, count: 4 },
      { name: "edge-fw", type: "firewall", from: 21, count: 2 }
    ]
  ],
  [
    "10.1.1.",
    "prod",
    [
      { name: "lb", type: "load-balancer", from: 10, count: 2 },
      { name: "fwd-proxy", type: "proxy", from: 20 },
      { name: "vpn", type: "vpn-gateway", from: 30 },
      { name: "bastion", type: "remote-access", from: 31 },
      { name: "mx", type: "mail", from: 40 }
    ]
  ],
  ["10.2.10.", "prod", [{ name: "web", type: "server", from: 11, count: 6 }]],
  [
    "10.2.20.",
    "prod",
    [
      { name: "app", type: "virtual-machine", from: 11, count: 8 },
      { name: "job", type: "container", from: 31, count: 4 },
      { name: "queue", type: "message-queue", from: 41, count: 2 }
    ]
  ],
  [
    "10.2.30.",
    "prod",
    [
      { name: "db", type: "database", from: 11, count: 4 },
      { name: "cache", type: "database", from: 21, count: 2 }
    ]
  ],
  [
    "10.2.40.",
    "prod",
    [
      { name: "nas", type: "storage", from: 11, count: 2 },
      { name: "backup", type: "storage", from: 21 }
    ]
  ],
  [
    "10.3.0.",
    "infra",
    [
      { name: "dns", type: "dns", from: 53, count: 2 },
      { name: "dhcp", type: "dhcp", from: 67 },
      { name: "ntp", type: "ntp", from: 123 },
      { name: "dc", type: "directory", from: 88, count: 2 },
      { name: "mon", type: "monitoring", from: 100 },
      { name: "syslog", type: "log-collector", from: 110 },
      { name: "pbx", type: "voice", from: 120 }
    ]
  ],
  [
    "10.8.1.",
    "office",
    [
      { name: "ws", type: "workstation", from: 50, count: 10 },
      { name: "printer", type: "printer", from: 200, count: 2 }
    ]
  ],
  [
    "10.9.1.",
    "facility",
    [
      { name: "cam", type: "camera", from: 10, count: 4 },
      { name: "hvac", type: "iot-device", from: 40, count: 2 }
    ]
  ]
]

const outside: ReadonlyArray<readonly [name: string | null, address: string, type: AssetType]> = [
  ["payments.example", "203.0.113.20", "cloud-service"],
  ["object-store.example", "203.0.113.80", "cloud-service"],
  ["mirror.example", "203.0.113.99", "server"],
  [null, "198.51.100.7", "unknown"],
  [null, "198.51.100.23", "unknown"],
  [null, "198.51.100.141", "unknown"],
  ["resolver.example", "192.0.2.53", "dns"],
  ["smtp.partner.example", "192.0.2.25", "mail"],
  [null, "2001:db8:77::9", "unknown"]
]

/** What only the silent exporter sees. */
const facility = new Set(["cam", "hvac"])

const k = 1e3
const M = 1e6

/** client, server, port, protocol, service, bit/s; `nth` links client i to server i modulo count, else each to each. */
const flows: ReadonlyArray<readonly [string, string, number, number, string | null, number, "each" | "nth"]> = [
  ["lb", "web", 8443, 6, "https", 24 * M, "each"],
  ["web", "app", 8080, 6, "http", 9 * M, "nth"],
  ["web", "cache", 6379, 6, "redis", 3 * M, "each"],
  ["app", "db", 5432, 6, "postgresql", 6 * M, "nth"],
  ["app", "cache", 6379, 6, "redis", 2 * M, "nth"],
  ["app", "queue", 5672, 6, "amqp", 900 * k, "nth"],
  ["job", "queue", 5672, 6, "amqp", 700 * k, "each"],
  ["job", "db", 5432, 6, "postgresql", 4 * M, "nth"],
  ["job", "nas", 2049, 6, "nfs", 18 * M, "nth"],
  ["db-02", "db-01", 5432, 6, "postgresql", 12 * M, "each"],
  ["db-03", "db-01", 5432, 6, "postgresql", 12 * M, "each"],
  ["db-04", "db-01", 5432, 6, "postgresql", 3 * M, "each"],
  ["backup", "db", 5432, 6, "postgresql", 2 * M, "each"],
  ["backup", "nas", 2049, 6, "nfs", 40 * M, "each"],
  ["web", "dns", 53, 17, "domain", 20 * k, "nth"],
  ["app", "dns", 53, 17, "domain", 30 * k, "nth"],
  ["db", "dns", 53, 17, "domain", 4 * k, "nth"],
  ["job", "dns", 53, 17, "domain", 6 * k, "nth"],
  ["ws", "dns", 53, 17, "domain", 12 * k, "nth"],
  ["ws", "dc", 88, 6, "kerberos", 5 * k, "nth"],
  ["ws", "dc", 389, 6, "ldap", 7 * k, "nth"],
  ["ws", "fwd-proxy", 3128, 6, "squid", 2 * M, "each"],
  ["ws", "dhcp", 67, 17, "bootps", 200, "each"],
  ["ws", "printer", 9100, 6, "jetdirect", 30 * k, "nth"],
  ["printer", "dhcp", 67, 17, "bootps", 100, "each"],
  ["leaf-sw", "ntp", 123, 17, "ntp", 90, "each"],
  ["core-rt", "ntp", 123, 17, "ntp", 90, "each"],
  ["db", "ntp", 123, 17, "ntp", 90, "each"],
  ["web", "syslog", 514, 17, "syslog", 60 * k, "each"],
  ["app", "syslog", 514, 17, "syslog", 80 * k, "each"],
  ["edge-fw", "syslog", 514, 17, "syslog", 140 * k, "each"],
  ["mon", "web", 9100, 6, "node-exporter", 14 * k, "each"],
  ["mon", "app", 9100, 6, "node-exporter", 14 * k, "each"],
  ["mon", "db", 9187, 6, "postgres-exporter", 11 * k, "each"],
  ["mon", "leaf-sw", 161, 17, "snmp", 9 * k, "each"],
  ["mon", "core-rt", 161, 17, "snmp", 9 * k, "each"],
  ["cam", "nas-02", 554, 6, "rtsp", 6 * M, "each"],
  ["hvac", "mon", 1883, 6, "mqtt", 800, "each"],
  ["bastion", "web", 22, 6, "ssh", 2 * k, "nth"],
  ["bastion", "db", 22, 6, "ssh", 2 * k, "each"],
  ["vpn", "bastion", 22, 6, "ssh", 22 * k, "each"],
  ["ws-03", "pbx", 5060, 17, "sip", 4 * k, "each"],
  ["ws-04", "pbx", 5060, 17, "sip", 4 * k, "each"],
  ["mx", "smtp.partner.example", 25, 6, "smtp", 60 * k, "each"],
  ["dns", "resolver.example", 53, 17, "domain", 90 * k, "each"],
  ["app-01", "payments.example", 443, 6, "https", 420 * k, "each"],
  ["app-02", "payments.example", 443, 6, "https", 390 * k, "each"],
  ["backup", "object-store.example", 443, 6, "https", 30 * M, "each"],
  ["fwd-proxy", "mirror.example", 443, 6, "https", 5 * M, "each"],
  ["198.51.100", "lb", 443, 6, "https", 3 * M, "each"],
  ["2001:db8:77::9", "lb-01", 443, 6, "https", 400 * k, "each"],
  ["198.51.100.7", "vpn", 1194, 17, "openvpn", 800 * k, "each"],
  ["smtp.partner.example", "mx", 25, 6, "smtp", 80 * k, "each"]
]

/** Fills the builder; returns a step that lets the network live: a new workstation flow or a new outside client now and then. */
export const datacenter = (builder: Builder, now: number) => {
  const random = seeded(41)
  const byName = new Map<string, AssetId>()
  for (const [prefix, environment, rows] of inside) {
    for (const row of rows) {
      for (let i = 0; i < (row.count ?? 1); i++) {
        const name = row.count === undefined ? row.name : `${row.name}-${String(i + 1).padStart(2, "0")}`
        const id = builder.host({
          name,
          address: `${prefix}${row.from + i}`,
          type: row.type,
          environment,
          tags: environment === "prod" ? ["critical"] : []
        })
        byName.set(name, id)
      }
    }
  }
  byName.set(
    "10.2.20.77",
    builder.host({ name: null, address: "10.2.20.77", type: "unknown", environment: null, firstSeen: now - 1_500_000 })
  )
  for (const [name, address, type] of outside) {
    byName.set(name ?? address, builder.host({ name, address, type, internal: false, environment: null, mac: false }))
  }
  const select = (pattern: string) =>
    [...byName]
      .filter(([name]) => name === pattern || name.replace(/-\d\d$/, "") === pattern || name.startsWith(`${pattern}.`))
      .map(([, id]) => id)
  let turn = 0
  for (const [client, server, port, protocol, service, rate, mode] of flows) {
    const clients = select(client)
    const servers = select(server)
    clients.forEach((c, i) => {
      servers.forEach((s, j) => {
        if (mode === "nth" && i % servers.length !== j) return
        turn++
        builder.link({
          client: c,
          server: s,
          port,
          protocol,
          service,
          rate: rate * (0.5 + random()),
          state: turn % 29 === 0 ? "stale" : "active",
          sampling: client === "ws" ? 512 : 1,
          exporters: facility.has(client)
            ? ["10.0.0.13"]
            : turn % 3 === 0
              ? ["10.0.0.1", "10.0.0.2"]
              : turn % 3 === 1
                ? ["10.0.0.1"]
                : ["10.0.0.11"]
        })
      })
    })
  }
  const odd = byName.get("10.2.20.77")!
  builder.link({
    client: odd,
    server: byName.get("db-02")!,
    port: 5432,
    protocol: 6,
    service: "postgresql",
    rate: 9 * k,
    state: "weak",
    firstSeen: now - 1_200_000
  })
  builder.link({
    client: odd,
    server: byName.get("198.51.100.141")!,
    port: 8443,
    protocol: 6,
    service: null,
    rate: 1200,
    state: "weak",
    firstSeen: now - 900_000
  })
  builder.settle()

  let born = 0
  return () => {
    for (const [id, rate] of builder.rates) if (rate > 0) builder.rates.set(id, rate * (0.9 + random() * 0.2))
    if (++born % 3 !== 0 || born > 30) return
    const at = Date.now()
    const id = builder.host({
      name: null,
      address: `198.51.100.${150 + born}`,
      type: "unknown",
      internal: false,
      mac: false,
      firstSeen: at
    })
    builder.link({
      client: id,
      server: byName.get("lb-01")!,
      port: 443,
      protocol: 6,
      service: "https",
      rate: 90 * k,
      state: "weak",
      firstSeen: at,
      lastSeen: at
    })
    builder.settle()
  }
}
