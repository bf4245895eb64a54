/**
 * The demo datacenter's machines: a table. Internal addresses are private (RFC 1918, RFC 4193), everything outside comes from the
 * ranges kept for documentation (RFC 5737, RFC 3849), so that nothing here can ever be somebody's.
 */

/** Where a machine stands; a zone is one subnet. `outside` is beyond the border router. */
export type Zone = "dmz" | "web" | "app" | "service" | "data" | "infra" | "network" | "office" | "branch" | "six" | "outside"

export interface Host {
  readonly name: string
  readonly address: string
  readonly zone: Zone
}

const table: ReadonlyArray<readonly [zone: Zone, subnet: string, hosts: string]> = [
  ["dmz", "10.10.0.", "lb-1=2 lb-2=3 shop-vip=10 api-vip=11 sftp-1=22 mail-relay=25 proxy-1=30"],
  ["web", "10.10.10.", "web-1=11 web-2=12 web-3=13 web-4=14 api-gw-1=21 api-gw-2=22"],
  ["app", "10.10.20.", "app-1=11 app-2=12 app-3=13 app-4=14 erp-1=31 batch-1=51"],
  ["service", "10.10.25.", "pricing-1=11 pricing-2=12 stock-1=21 search-1=31 search-2=32 invoice-1=41"],
  [
    "data",
    "10.10.30.",
    "pg-primary=11 pg-replica-1=12 pg-replica-2=13 erp-db=21 redis-1=31 redis-2=32 mq-1=41 kafka-1=51 kafka-2=52 kafka-3=53 es-1=61 es-2=62 nfs-1=71"
  ],
  [
    "infra",
    "10.10.40.",
    "dc-1=11 dc-2=12 ntp-1=13 syslog-1=21 mon-1=31 backup-1=41 bastion-1=51 git-1=61 registry-1=62 ci-1=63 vuln-scan=99"
  ],
  ["network", "10.10.250.", "core-1=1 core-2=2 edge-1=3 fw-1=4 old-switch=5 leaf-1=6 leaf-2=7"],
  ["office", "10.20.10.", "pc-anna=21 pc-boris=22 pc-chen=23 pc-dora=24 pc-emil=25 printer-1=90"],
  ["branch", "10.30.10.", "branch-pg=11 branch-backup=41 branch-app=21 till-1=101 till-2=102"],
  ["six", "fd42:10:60::", "mobile-vip=10 mobile-1=11 mobile-2=12 mobile-db=30 ns6=53"],
  ["outside", "198.51.100.", "user-1=14 user-2=27 user-3=61 user-4=88 maps-api=200 dns-upstream=53"],
  ["outside", "203.0.113.", "user-5=9 user-6=17 user-7=130 partner-bank=40 payments-api=80 mail-provider=25 ntp-pool=123"],
  ["outside", "2001:db8:f00d::", "user-8=8 user-9=9 push-api=80"]
]

export const hosts: ReadonlyArray<Host> = table.flatMap(([zone, subnet, list]) =>
  list.split(" ").map((entry) => {
    const [name = "", last = ""] = entry.split("=")
    return { name, address: subnet + last, zone }
  })
)

/** Address → name, so that the appliance can show names it has no DNS for. */
export const demoNames: ReadonlyMap<string, string> = new Map(hosts.map((host) => [host.address, host.name]))
