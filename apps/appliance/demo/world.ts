/**
 * The demo datacenter's dependencies, as data: who talks to whom, on what, how much and when. This is the truth the map is compared with.
 */
import { type Host, hosts } from "./hosts.ts"

export const TCP = 6
export const UDP = 17

/** How the conversations of a dependency look. Sizes are payload octets, a log-uniform range. */
export interface Profile {
  readonly protocol: number
  /** New conversations a minute; for a pool, how often is up to the exporters' active timeout. */
  readonly perMinute: number
  /** Connections held open for minutes and exported in pieces; 0: one connection a conversation. */
  readonly pool: number
  readonly request: readonly [least: number, most: number]
  readonly response: readonly [least: number, most: number]
  readonly seconds: readonly [least: number, most: number]
  /** Nothing ever comes back (syslog, traps). */
  readonly oneWay: boolean
  /** The client sends from a port below 1024, as NFS clients do. */
  readonly lowPort: boolean
  /** Only at night (hours of the demo day). */
  readonly nightly: boolean
  /** Follows office hours. */
  readonly daily: boolean
}

const profile = (change: Partial<Profile>): Profile => ({
  protocol: TCP,
  perMinute: 12,
  pool: 0,
  request: [300, 2000],
  response: [500, 20_000],
  seconds: [0.02, 1],
  oneWay: false,
  lowPort: false,
  nightly: false,
  daily: false,
  ...change
})

export const profiles = {
  browse: profile({ perMinute: 30, request: [600, 4000], response: [5000, 400_000], seconds: [0.3, 6], daily: true }),
  proxied: profile({ perMinute: 40, request: [600, 4000], response: [2000, 90_000], seconds: [0.05, 2], daily: true }),
  call: profile({ perMinute: 20 }),
  sql: profile({ pool: 3, request: [4000, 60_000], response: [20_000, 900_000] }),
  cache: profile({ pool: 3, request: [3000, 30_000], response: [5000, 200_000] }),
  queue: profile({ pool: 2, request: [2000, 90_000], response: [1000, 30_000] }),
  log: profile({ pool: 2, request: [200_000, 2_000_000], response: [40_000, 300_000] }),
  replicate: profile({ pool: 2, request: [20_000, 90_000], response: [400_000, 3_000_000] }),
  files: profile({ pool: 1, request: [20_000, 400_000], response: [50_000, 2_000_000], lowPort: true }),
  resolve: profile({ protocol: UDP, perMinute: 8, request: [32, 60], response: [60, 400], seconds: [0.001, 0.03] }),
  time: profile({ protocol: UDP, perMinute: 4, request: [48, 48], response: [48, 48], seconds: [0.001, 0.01] }),
  syslog: profile({ protocol: UDP, perMinute: 10, request: [120, 2400], response: [0, 0], seconds: [0.001, 2], oneWay: true }),
  trap: profile({ protocol: UDP, perMinute: 4, request: [90, 220], response: [0, 0], seconds: [0.001, 0.001], oneWay: true }),
  poll: profile({ protocol: UDP, perMinute: 6, request: [200, 2000], response: [600, 8000], seconds: [0.05, 1.5] }),
  scrape: profile({ perMinute: 6, request: [300, 500], response: [9000, 60_000], seconds: [0.02, 0.3] }),
  directory: profile({ perMinute: 8, request: [300, 1500], response: [400, 9000], seconds: [0.02, 0.8] }),
  ticket: profile({ perMinute: 5, request: [1400, 2500], response: [1400, 2500], seconds: [0.01, 0.05] }),
  mail: profile({ perMinute: 5, request: [2000, 300_000], response: [400, 900], seconds: [0.3, 3] }),
  transfer: profile({ perMinute: 5, request: [20_000, 900_000], response: [3000, 9000], seconds: [1, 5] }),
  shell: profile({ perMinute: 5, request: [4000, 20_000], response: [6000, 90_000], seconds: [1, 8] }),
  fetch: profile({ perMinute: 6, request: [900, 4000], response: [50_000, 2_000_000], seconds: [0.2, 4] }),
  print: profile({ perMinute: 5, request: [30_000, 400_000], response: [400, 900], seconds: [0.5, 4], daily: true }),
  backup: profile({ perMinute: 12, request: [2_000_000, 9_000_000], response: [20_000, 90_000], seconds: [3, 8], nightly: true })
} as const satisfies Record<string, Profile>

type ProfileName = keyof typeof profiles

/** Names may be lists (`a b c`) and stems (`web-*`): every client of the left with every server of the right, itself left out. */
const table: ReadonlyArray<readonly [clients: string, servers: string, port: number, profile: ProfileName]> = [
  // three tiers of the shop
  ["user-1 user-2 user-3 user-4 user-5 user-6", "shop-vip", 443, "browse"],
  ["user-5 user-7", "api-vip", 443, "browse"],
  ["pc-*", "shop-vip", 443, "browse"],
  ["till-*", "api-vip", 443, "call"],
  ["lb-1", "web-*", 8080, "proxied"],
  ["lb-2", "api-gw-*", 8443, "proxied"],
  ["web-1 web-2", "app-1 app-2", 8009, "proxied"],
  ["web-3 web-4", "app-3 app-4", 8009, "proxied"],
  ["api-gw-*", "app-1 app-3", 8009, "proxied"],
  ["app-*", "pg-primary", 5432, "sql"],
  ["app-1 app-2", "pg-replica-1", 5432, "sql"],
  ["app-3 app-4", "pg-replica-2", 5432, "sql"],
  ["app-*", "redis-1", 6379, "cache"],
  ["app-*", "pricing-1 pricing-2", 50_051, "call"],
  ["app-1 app-3", "stock-1", 8045, "call"],
  ["app-2 app-4", "search-1 search-2", 9200, "call"],
  ["app-*", "mq-1", 5672, "queue"],
  ["app-1 app-2 stock-1", "kafka-1 kafka-2 kafka-3", 9092, "log"],
  ["app-1", "payments-api", 443, "call"],
  ["app-4", "maps-api", 443, "call"],
  // services behind the applications
  ["pricing-*", "pg-replica-1", 5432, "sql"],
  ["stock-1", "pg-primary", 5432, "sql"],
  ["search-*", "es-1", 9200, "call"],
  ["invoice-1", "mq-1", 5672, "queue"],
  ["invoice-1", "pg-primary", 5432, "sql"],
  ["invoice-1", "mail-relay", 25, "mail"],
  ["erp-1", "erp-db", 3306, "sql"],
  ["erp-1", "invoice-1", 8045, "call"],
  ["erp-1", "partner-bank", 443, "call"],
  ["batch-1", "erp-db", 3306, "sql"],
  ["batch-1", "kafka-1", 9092, "log"],
  ["pc-anna pc-boris pc-chen", "erp-1", 8443, "call"],
  ["web-1 web-2 web-3 web-4 invoice-1", "nfs-1", 2049, "files"],
  // clusters whose members serve each other
  ["kafka-*", "kafka-*", 9092, "log"],
  ["pg-replica-1 pg-replica-2", "pg-primary", 5432, "replicate"],
  ["redis-2", "redis-1", 6379, "replicate"],
  ["es-2", "es-1", 9300, "log"],
  // shared services
  ["lb-* web-* api-gw-* app-* erp-1 batch-1 pc-* till-* mail-relay", "dc-1", 53, "resolve"],
  [
    "pricing-* stock-1 search-* invoice-1 pg-* erp-db mq-1 kafka-* bastion-1 ci-1 mon-1 vuln-scan branch-app",
    "dc-2",
    53,
    "resolve"
  ],
  ["dc-1 dc-2", "dns-upstream", 53, "resolve"],
  ["dc-2", "dc-1", 389, "directory"],
  ["app-1 app-2 erp-1 git-1 bastion-1", "dc-1", 389, "directory"],
  ["pc-*", "dc-1", 88, "ticket"],
  ["pc-*", "dc-2", 389, "directory"],
  ["dc-1 dc-2 pg-primary erp-db kafka-1 kafka-2 kafka-3 lb-1 lb-2 core-1 core-2 fw-1", "ntp-1", 123, "time"],
  ["ntp-1", "ntp-pool", 123, "time"],
  ["core-* edge-1 fw-1 old-switch leaf-* lb-* web-* pg-primary erp-1 bastion-1 dc-1 dc-2", "syslog-1", 514, "syslog"],
  ["core-1 core-2 fw-1", "mon-1", 162, "trap"],
  ["mon-1", "core-* edge-1 fw-1 old-switch leaf-*", 161, "poll"],
  ["mon-1", "web-* app-* pricing-* pg-primary pg-replica-1 redis-1 mq-1 kafka-* es-1", 9100, "scrape"],
  ["mon-1", "mail-relay", 25, "mail"],
  ["mail-relay", "mail-provider", 25, "mail"],
  ["partner-bank", "sftp-1", 22, "transfer"],
  ["batch-1", "sftp-1", 22, "transfer"],
  ["pc-dora pc-emil", "bastion-1", 22, "shell"],
  ["bastion-1", "app-1 pg-primary kafka-1", 22, "shell"],
  ["pc-dora pc-emil", "git-1", 443, "fetch"],
  ["ci-1", "git-1 registry-1", 443, "fetch"],
  ["app-1 app-2", "registry-1", 443, "fetch"],
  ["pc-*", "proxy-1", 3128, "browse"],
  ["proxy-1", "maps-api", 443, "browse"],
  ["pc-anna pc-boris", "printer-1", 9100, "print"],
  // the branch
  ["branch-app", "app-3", 8009, "call"],
  ["branch-app", "branch-pg", 5432, "sql"],
  ["till-*", "branch-app", 8080, "call"],
  ["branch-pg", "pg-primary", 5432, "replicate"],
  // the IPv6 platform
  ["user-8 user-9", "mobile-vip", 443, "browse"],
  ["mobile-vip", "mobile-*", 8443, "proxied"],
  ["mobile-1 mobile-2", "mobile-db", 5432, "sql"],
  ["mobile-1 mobile-2", "ns6", 53, "resolve"],
  ["mobile-1", "push-api", 443, "call"],
  // the nightly backup
  ["pg-primary erp-db nfs-1 git-1", "backup-1", 9102, "backup"],
  ["backup-1", "branch-backup", 22, "backup"]
]

export interface DemoDependency {
  readonly client: Host
  readonly server: Host
  readonly port: number
  readonly profile: Profile
}

export interface World {
  readonly hosts: ReadonlyArray<Host>
  readonly dependencies: ReadonlyArray<DemoDependency>
  /** Sends SYNs to everybody and talks to nobody that way. */
  readonly scanner: Host
}

const named = new Map(hosts.map((host) => [host.name, host]))

/** Stems are of single machines: `mobile-*` is mobile-1 and mobile-2, not the address they share or their database. */
const matching = (names: string): ReadonlyArray<Host> =>
  names.split(" ").flatMap((name) => {
    if (name.endsWith("*")) {
      const stem = name.slice(0, -1)
      const numbered = hosts.filter((host) => host.name.startsWith(stem) && /^\d+$/.test(host.name.slice(stem.length)))
      return numbered.length > 0 ? numbered : hosts.filter((host) => host.name.startsWith(stem))
    }
    const host = named.get(name)
    if (host === undefined) throw new Error(`the demo has no host ${name}`)
    return [host]
  })

export const makeWorld = (): World => ({
  hosts,
  scanner: matching("vuln-scan")[0]!,
  dependencies: table.flatMap(([clients, servers, port, name]) =>
    matching(clients).flatMap((client) =>
      matching(servers)
        .filter((server) => server !== client)
        .map((server) => ({ client, server, port, profile: profiles[name] }))
    )
  )
})

export interface ExpectedDependency {
  readonly client: string
  readonly server: string
  readonly port: number
  readonly protocol: number
}

/** The truth: addresses, server port and IP protocol of every dependency; without the nightly ones when the night was not played. */
export const expectedDependencies = (
  world: World,
  options: { readonly nightly: boolean } = { nightly: true }
): ReadonlyArray<ExpectedDependency> =>
  world.dependencies
    .filter((dependency) => options.nightly || !dependency.profile.nightly)
    .map(({ client, server, port, profile }) => ({
      client: client.address,
      server: server.address,
      port,
      protocol: profile.protocol
    }))
