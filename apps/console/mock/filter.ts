/** The domain's filter line, answered from the seeded world. */
import { DateTime, Effect, Result } from "effect"
import { IpNetwork, NetAddress } from "effect/net"
import type { AssetDetail } from "#domain/Asset.ts"
import type { Dependency } from "#domain/Dependency.ts"
import { type Comparison, type Condition, type FilterSubject, parseFilter as parse } from "#domain/filter.ts"
import type { FilterInvalid } from "#domain/Topology.ts"

interface End {
  readonly side: "asset" | "client" | "server"
  readonly words: ReadonlyArray<string>
  readonly addresses: ReadonlyArray<string>
  readonly type: AssetDetail["type"]
  readonly internal: boolean
}

interface Service {
  readonly port: number
  readonly protocol: number
  readonly name: string | null
}

/** What a condition looks at, the same for assets and dependencies. */
export interface Subject {
  readonly ends: ReadonlyArray<End>
  readonly services: ReadonlyArray<Service>
  readonly state: Dependency["state"] | undefined
  readonly blind: boolean
  readonly tags: ReadonlyArray<string>
  readonly environment: string | null
  readonly firstSeen: DateTime.Utc
  readonly lastSeen: DateTime.Utc
  readonly numbers: Partial<Record<"confidence" | "bytes" | "flows" | "clients" | "servers", number>>
}

export const ofAsset = (a: AssetDetail): Subject => ({
  ends: [
    { side: "asset", words: [a.name, a.fqdn ?? "", ...a.macAddresses], addresses: a.addresses, type: a.type, internal: a.internal }
  ],
  services: a.services,
  state: undefined,
  blind: false,
  tags: a.tags,
  environment: a.environment,
  firstSeen: a.firstSeen,
  lastSeen: a.lastSeen,
  numbers: { confidence: a.confidence, bytes: Number(a.bytes), clients: a.clients, servers: a.servers }
})

export const ofDependency = (d: Dependency): Subject => ({
  ends: (["client", "server"] as const).map((side) => ({
    side,
    words: [d[side].name],
    addresses: [d[side].address],
    type: d[side].type,
    internal: d[side].internal
  })),
  services: [{ port: d.port, protocol: d.protocol, name: d.service }],
  state: d.state,
  blind: d.blind !== null,
  tags: d.tags,
  environment: null,
  firstSeen: d.firstSeen,
  lastSeen: d.lastSeen,
  numbers: { confidence: d.confidence, bytes: Number(d.bytesToServer + d.bytesToClient), flows: Number(d.flows) }
})

const compared = (value: number, compare: Comparison, with_: number): boolean =>
  compare === "<"
    ? value < with_
    : compare === "<="
      ? value <= with_
      : compare === ">"
        ? value > with_
        : compare === ">="
          ? value >= with_
          : value === with_

const within = (network: string, address: string): boolean => {
  if (!network.includes("/")) return address === network
  const parsed = IpNetwork.fromString(network)
  return Result.isSuccess(parsed) && IpNetwork.contains(parsed.success, NetAddress.ipFromStringUnsafe(address))
}

const holds = (c: Condition, s: Subject, now: number): boolean => {
  switch (c.kind) {
    case "word": {
      const text = c.text.toLowerCase()
      return s.ends.some((e) => [...e.words, ...e.addresses].some((word) => word.toLowerCase().includes(text)))
    }
    case "network":
      return s.ends.some((e) => (c.end === "any" || e.side === c.end) && e.addresses.some((address) => within(c.network, address)))
    case "text": {
      const text = c.text.toLowerCase()
      if (c.field === "tag") return s.tags.includes(c.text)
      if (c.field === "environment") return s.environment?.toLowerCase() === text
      if (c.field === "service") return s.services.some(({ name }) => name?.toLowerCase() === text)
      return s.ends.some(
        (e) => (c.field === "name" || e.side === c.field) && e.words.some((word) => word.toLowerCase().includes(text))
      )
    }
    case "type":
      return s.ends.some((e) => c.types.includes(e.type))
    case "state":
      return s.state === c.state
    case "blind":
      return s.blind === c.blind
    case "protocol":
      return s.services.some(({ protocol }) => protocol === c.protocol)
    case "internal":
      return s.ends.some((e) => e.internal === c.internal)
    case "port":
      return s.services.some(({ port }) => port >= c.from && port <= c.to)
    case "number":
      return compared(s.numbers[c.field] ?? Number.NaN, c.compare, c.value)
    case "age":
      return compared((now - DateTime.toEpochMillis(c.field === "seen" ? s.lastSeen : s.firstSeen)) / 1000, c.compare, c.seconds)
  }
}

export const parseFilter = (
  text: string | undefined,
  subject: FilterSubject
): Effect.Effect<(s: Subject) => boolean, FilterInvalid> => {
  const parsed = parse(text ?? "", subject)
  if (Result.isFailure(parsed)) return Effect.fail(parsed.failure)
  const now = Date.now()
  return Effect.succeed((s) => parsed.success.every(({ condition, negated }) => holds(condition, s, now) !== negated))
}
