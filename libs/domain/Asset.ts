/** A thing on the network. Addresses belong to it over time. */
import { Schema } from "effect"
import { Address, MacAddress } from "./Address.ts"
import { AssetId, Count, Instant, listQuery } from "./ids.ts"

export const AssetType = Schema.Literals([
  "server",
  "workstation",
  "virtual-machine",
  "container",
  "cloud-service",
  "database",
  "storage",
  "router",
  "switch",
  "load-balancer",
  "firewall",
  "dns",
  "dhcp",
  "ntp",
  "directory",
  "mail",
  "voice",
  "vpn-gateway",
  "proxy",
  "log-collector",
  "remote-access",
  "printer",
  "iot-device",
  "camera",
  "message-queue",
  "monitoring",
  "unknown"
])
export type AssetType = typeof AssetType.Type

/** A listening end that was seen answering: asset, port, protocol (FL-DB-13). */
export class Service extends Schema.Class<Service>("Service")({
  port: Schema.Int,
  /** IANA protocol number. */
  protocol: Schema.Int,
  /** From the service table or the operator; null when neither names it. */
  name: Schema.NullOr(Schema.String),
  clients: Schema.Int,
  firstSeen: Instant,
  lastSeen: Instant
}) {}

export class Asset extends Schema.Class<Asset>("Asset")({
  id: AssetId,
  /** Name if one is known, else the first address. */
  name: Schema.String,
  fqdn: Schema.NullOr(Schema.String),
  type: AssetType,
  addresses: Schema.Array(Address),
  macAddresses: Schema.Array(MacAddress),
  /** False: outside the declared ranges (design.md, Identity). */
  internal: Schema.Boolean,
  environment: Schema.NullOr(Schema.String),
  tags: Schema.Array(Schema.String),
  firstSeen: Instant,
  lastSeen: Instant,
  discoverySource: Schema.Literals([
    "flow",
    "ssh",
    "snmp",
    "wmi",
    "arp",
    "icmp",
    "mdns",
    "hypervisor",
    "cloud",
    "import",
    "manual"
  ]),
  confidence: Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: 1 })),
  /** Dependencies it serves (its clients) and it needs (its servers), now. */
  clients: Schema.Int,
  servers: Schema.Int,
  bytes: Count
}) {}

export class AssetDetail extends Asset.extend<AssetDetail>("AssetDetail")({
  services: Schema.Array(Service),
  /** Every address it had: `until` null while it has it. */
  addressHistory: Schema.Array(Schema.Struct({ address: Address, since: Instant, until: Schema.NullOr(Instant) }))
}) {}

export const AssetQuery = listQuery(["name", "type", "lastSeen", "firstSeen", "clients", "servers", "bytes"])
export type AssetQuery = typeof AssetQuery.Type

export class AssetNotFound extends Schema.TaggedError<AssetNotFound>()(
  "AssetNotFound",
  { id: Schema.String },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `no asset ${this.id}`
  }
}
