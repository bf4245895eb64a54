/**
 * What the mock appliance knows: real domain objects, so that a renamed field does not compile. Built once per seed name from a seeded
 * generator; `step` moves it on as a live network would.
 */
import { DateTime } from "effect"
import { Address } from "#domain/Address.ts"
import { AssetDetail, type AssetType, Service } from "#domain/Asset.ts"
import type { AuditEntry } from "#domain/Audit.ts"
import type { Capture } from "#domain/Capture.ts"
import { ConfidenceTerms, type Declaration, DependencyDetail, DependencyEnd, DirectionEvidence } from "#domain/Dependency.ts"
import type { Exporter, TemplateSummary } from "#domain/Exporter.ts"
import type { ActorReading, HealthWarning } from "#domain/Health.ts"
import { AssetId, DependencyId } from "#domain/ids.ts"
import type { Operator, Token } from "#domain/Operator.ts"
import type { SettingReading } from "#domain/Settings.ts"
import type { WindowTotal } from "#domain/Status.ts"
import { whyConfidence, whyDirection } from "../../src/pages/dependencies/explain.ts"

export const windowSeconds = 300

export interface World {
  readonly startedAt: number
  readonly assets: Map<AssetId, AssetDetail>
  readonly dependencies: Map<DependencyId, DependencyDetail>
  /** bit/s over the last closed window. */
  readonly rates: Map<DependencyId, number>
  exporters: ReadonlyArray<Exporter>
  captures: ReadonlyArray<Capture>
  readonly templates: ReadonlyArray<TemplateSummary>
  actors: ReadonlyArray<ActorReading>
  readonly warnings: ReadonlyArray<HealthWarning>
  readonly settings: ReadonlyArray<SettingReading>
  /** What was declared of ends that no dependency is drawn to. */
  declarations: ReadonlyArray<Declaration>
  operators: ReadonlyArray<Operator>
  tokens: ReadonlyArray<Token>
  readonly audit: Array<AuditEntry>
  traffic: ReadonlyArray<WindowTotal>
  /** Grows with every change of the map. */
  version: number
  /** One change of the live network, if this seed lives. */
  readonly step: () => void
}

/** mulberry32: small, seeded, the same everywhere. */
export const seeded = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

export const instant = (ms: number) => DateTime.makeUnsafe(Math.round(ms))

export interface HostSpec {
  readonly name: string | null
  readonly address: string
  readonly type: AssetType
  readonly internal?: boolean
  readonly environment?: string | null
  readonly tags?: ReadonlyArray<string>
  readonly firstSeen?: number
  readonly mac?: boolean
}

export interface LinkSpec {
  readonly client: AssetId
  readonly server: AssetId
  readonly port: number
  readonly protocol: number
  readonly service: string | null
  /** bit/s both ways. */
  readonly rate: number
  readonly state?: "active" | "stale" | "weak"
  readonly sampling?: number
  readonly firstSeen?: number
  readonly lastSeen?: number
  readonly series?: boolean
  readonly exporters?: ReadonlyArray<string>
}

const hex = (n: number) => n.toString(16).padStart(2, "0")

/** Builds assets and dependencies with consecutive ids and evidence that agrees with the confidence. */
export const makeBuilder = (now: number, random: () => number) => {
  const assets = new Map<AssetId, AssetDetail>()
  const dependencies = new Map<DependencyId, DependencyDetail>()
  const rates = new Map<DependencyId, number>()
  let assetSequence = 0
  let dependencySequence = 0
  const day = 86_400_000

  const host = (spec: HostSpec): AssetId => {
    const id = AssetId.make(String(++assetSequence))
    const firstSeen = spec.firstSeen ?? now - (2 + random() * 12) * day
    const address = Address.make(spec.address)
    assets.set(
      id,
      new AssetDetail({
        id,
        name: spec.name ?? spec.address,
        fqdn: spec.name === null ? null : `${spec.name}.corp.example`,
        type: spec.type,
        addresses: [address],
        macAddresses:
          spec.mac === false
            ? []
            : [`02:42:${hex((assetSequence >> 16) & 255)}:${hex((assetSequence >> 8) & 255)}:${hex(assetSequence & 255)}:01`],
        internal: spec.internal ?? true,
        environment: spec.environment ?? null,
        tags: spec.tags ?? [],
        firstSeen: instant(firstSeen),
        lastSeen: instant(now - random() * 240_000),
        discoverySource: "flow",
        confidence: Math.round((0.7 + random() * 0.29) * 100) / 100,
        clients: 0,
        servers: 0,
        bytes: 0n,
        services: [],
        addressHistory: [{ address, since: instant(firstSeen), until: null }]
      })
    )
    return id
  }

  const end = (id: AssetId) => {
    const asset = assets.get(id)!
    return new DependencyEnd({ id, name: asset.name, address: asset.addresses[0]!, type: asset.type, internal: asset.internal })
  }

  const link = (spec: LinkSpec): DependencyId => {
    const id = DependencyId.make(String(++dependencySequence))
    const firstSeen = spec.firstSeen ?? now - (0.5 + random() * 9) * day
    const state = spec.state ?? "active"
    const lastSeen = spec.lastSeen ?? (state === "stale" ? now - (30 + random() * 40) * 3_600_000 : now - random() * 280_000)
    const sampling = spec.sampling ?? 1
    const hours = Math.max(0.2, (lastSeen - firstSeen) / 3_600_000)
    const total = BigInt(Math.round((spec.rate / 8) * 3600 * Math.min(hours, 200) * 0.6)) + 400n
    const up = (total * BigInt(15 + Math.floor(random() * 30))) / 100n
    const flows = BigInt(Math.max(1, Math.round(hours * (2 + random() * 40))))
    const tcp = spec.protocol === 6
    const records = state === "weak" ? 2 : Number(flows) * 2
    const direction = new DirectionEvidence({
      synForward: tcp && state !== "weak" ? Math.round(records * 0.42) : 0,
      synReverse: tcp && random() < 0.05 ? 2 : 0,
      synAckForward: tcp && sampling > 1 ? Math.round(records * 0.04) : 0,
      synAckReverse: 0,
      beganForward: Math.round(records * 0.3),
      beganReverse: Math.round(records * 0.01),
      portRank: spec.service === null ? 0 : 2,
      fanIn: 1 + Math.floor(random() * 24),
      fanInAgainst: random() < 0.3 ? 2 : 0,
      history: Math.floor(random() * 16),
      companion: false,
      clientPorts: Math.max(1, Math.round(records * 0.4)),
      declared: false
    })
    const seenBy = spec.exporters ?? ["10.0.0.1"]
    const terms = new ConfidenceTerms({
      records,
      windows: Math.max(1, Math.round(Math.min(hours * 12, records / 3))),
      bothDirections: state !== "weak",
      exporters: seenBy.length,
      direction: whyDirection(direction).margin,
      sampled: sampling > 1
    })
    const windows = spec.series === false ? 0 : Math.min(48, Math.max(1, Math.round(hours * 12)))
    const series = Array.from({ length: windows }, (_, i) => {
      const at = Math.floor(lastSeen / 300_000) * 300_000 - (windows - 1 - i) * 300_000
      const wave = 0.6 + 0.4 * Math.sin(at / 9_000_000) + random() * 0.3
      const bytes = Math.round((spec.rate / 8) * 300 * wave)
      return {
        at: instant(at),
        bytes: BigInt(bytes),
        packets: BigInt(Math.ceil(bytes / 700)),
        flows: BigInt(1 + Math.floor(random() * 12))
      }
    })
    dependencies.set(
      id,
      new DependencyDetail({
        id,
        client: end(spec.client),
        server: end(spec.server),
        port: spec.port,
        protocol: spec.protocol,
        service: spec.service,
        state,
        firstSeen: instant(firstSeen),
        lastSeen: instant(lastSeen),
        bytesToServer: up,
        bytesToClient: total - up,
        packets: total / 700n + 1n,
        flows,
        sampling,
        confidence: whyConfidence(terms).confidence,
        tags: [],
        notes: null,
        blind: null,
        direction,
        terms,
        spans: [{ since: instant(firstSeen), until: state === "stale" ? instant(lastSeen) : null }],
        exporters: seenBy.map((address, i) => ({
          address: Address.make(address),
          owner: i === 0,
          records: BigInt(Math.max(1, Math.round(records / (i + 1)))),
          bytes: total / BigInt(i + 1),
          sparedRecords: i === 0 ? 0n : BigInt(Math.max(1, Math.round(records / (i + 1)))),
          sparedBytes: i === 0 ? 0n : total / BigInt(i + 1),
          lastSeen: instant(lastSeen - i * 1000)
        })),
        evidence: Array.from({ length: state === "weak" ? 1 : 6 }, (_, i) => {
          const last = lastSeen - (5 - i) * 3_600_000
          const kept = BigInt(1200 + Math.floor(random() * 90_000))
          const clientPort = 49_152 + Math.floor(random() * 16_000)
          return {
            first: instant(last - 40_000),
            last: instant(last),
            clientAddress: end(spec.client).address,
            clientPort,
            clientPorts: i === 3 ? 9 : 1,
            serverAddress: end(spec.server).address,
            serverPort: spec.port,
            bytesToServer: kept / 4n,
            bytesToClient: kept,
            packetsToServer: kept / 900n + 1n,
            packetsToClient: kept / 700n + 1n,
            flagsToServer: tcp ? 0x1b : 0,
            flagsToClient: tcp ? 0x1b : 0,
            records: 2n,
            exporter: Address.make(seenBy[i % seenBy.length]!),
            sampling
          }
        }),
        declaration: null,
        flowsPerHour: Math.round((Number(flows) / hours) * 10) / 10,
        series
      })
    )
    rates.set(id, state === "stale" ? 0 : spec.rate)
    return id
  }

  /** Counts clients, servers, services and volumes of every asset from its dependencies. */
  const settle = () => {
    const tally = new Map<AssetId, { clients: number; servers: number; bytes: bigint; services: Map<string, Service> }>()
    const of = (id: AssetId) => {
      let entry = tally.get(id)
      if (entry === undefined) tally.set(id, (entry = { clients: 0, servers: 0, bytes: 0n, services: new Map() }))
      return entry
    }
    for (const d of dependencies.values()) {
      const client = of(d.client.id)
      const server = of(d.server.id)
      client.servers++
      server.clients++
      client.bytes += d.bytesToServer + d.bytesToClient
      server.bytes += d.bytesToServer + d.bytesToClient
      const key = `${d.port}/${d.protocol}`
      const known = server.services.get(key)
      server.services.set(
        key,
        new Service({
          port: d.port,
          protocol: d.protocol,
          name: d.service,
          clients: (known?.clients ?? 0) + 1,
          firstSeen: known === undefined ? d.firstSeen : DateTime.min(known.firstSeen, d.firstSeen),
          lastSeen: known === undefined ? d.lastSeen : DateTime.max(known.lastSeen, d.lastSeen)
        })
      )
    }
    for (const [id, { services, ...counts }] of tally) {
      const asset = assets.get(id)!
      assets.set(id, new AssetDetail({ ...asset, ...counts, services: [...services.values()] }))
    }
  }

  return { assets, dependencies, rates, host, link, settle }
}
