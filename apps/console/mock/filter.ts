/** The filter line as the mock answers it: enough of the console's grammar for a person to work with. */
import { DateTime, Effect, Result } from "effect"
import { IpNetwork, NetAddress } from "effect/net"
import type { Asset } from "#domain/Asset.ts"
import { assetTypes } from "#domain/AssetFamily.ts"
import type { Dependency } from "#domain/Dependency.ts"
import { protocolName } from "#domain/protocol.ts"
import { FilterInvalid } from "#domain/Topology.ts"

interface End {
  readonly name: string
  readonly addresses: ReadonlyArray<string>
  readonly type: Asset["type"]
  readonly internal: boolean
}

/** What a term looks at, the same for assets and dependencies. */
export interface Subject {
  readonly ends: ReadonlyArray<End>
  readonly words: ReadonlyArray<string>
  readonly ports: ReadonlyArray<string>
  readonly state: string | null
  readonly tags: ReadonlyArray<string>
  readonly environment: string | null
  readonly lastSeen: DateTime.Utc
}

export const ofAsset = (asset: Asset): Subject => ({
  ends: [{ name: asset.name, addresses: asset.addresses, type: asset.type, internal: asset.internal }],
  words: [asset.name, asset.fqdn ?? "", ...asset.macAddresses],
  ports: [],
  state: null,
  tags: asset.tags,
  environment: asset.environment,
  lastSeen: asset.lastSeen
})

export const ofDependency = (d: Dependency): Subject => ({
  ends: [d.client, d.server].map((end) => ({ name: end.name, addresses: [end.address], type: end.type, internal: end.internal })),
  words: [d.client.name, d.server.name, d.service ?? ""],
  ports: [String(d.port), `${d.port}/${protocolName(d.protocol)}`, protocolName(d.protocol)],
  state: d.state,
  tags: d.tags,
  environment: null,
  lastSeen: d.lastSeen
})

type Term = (subject: Subject) => boolean
const unit: Record<string, number> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5 }

const inNetwork = (cidr: string): Term | undefined => {
  const network = IpNetwork.fromString(cidr)
  if (Result.isFailure(network)) return undefined
  return (s) => s.ends.some((e) => e.addresses.some((a) => IpNetwork.contains(network.success, NetAddress.ipFromStringUnsafe(a))))
}

const keyed: Record<string, (value: string) => Term | undefined> = {
  type: (v) => (s) =>
    s.ends.some(({ type }) => type.startsWith(v) || assetTypes[type].letters.toLowerCase() === v || assetTypes[type].family === v),
  name: (v) => (s) => s.words.some((w) => w.toLowerCase().includes(v)),
  port: (v) => (s) => s.ports.includes(v),
  protocol: (v) => (s) => s.ports.includes(v),
  state: (v) => (s) => s.state === v,
  tag: (v) => (s) => s.tags.includes(v),
  environment: (v) => (s) => s.environment === v,
  env: (v) => (s) => s.environment === v,
  internal: (v) => (v === "yes" || v === "no" ? (s) => s.ends.some((e) => e.internal === (v === "yes")) : undefined),
  network: inNetwork,
  seen: (v) => {
    const match = /^([<>])(\d+)([smhd])$/.exec(v)
    if (match === null) return undefined
    const span = Number(match[2]) * unit[match[3]!]!
    return (s) => {
      const age = Date.now() - DateTime.toEpochMillis(s.lastSeen)
      return match[1] === "<" ? age < span : age > span
    }
  }
}

export const parseFilter = (text: string | undefined): Effect.Effect<Term, FilterInvalid> => {
  const filter = text ?? ""
  const terms: Array<Term> = []
  for (const match of filter.matchAll(/\S+/g)) {
    const word = match[0].toLowerCase()
    const refuse = (expected: string) => Effect.fail(new FilterInvalid({ filter, position: match.index, expected }))
    const [, key, value] = /^([a-z]+):(.*)$/.exec(word) ?? []
    if (key !== undefined && value !== undefined && !word.includes("::")) {
      const make = keyed[key]
      if (make === undefined) return refuse(`one of ${Object.keys(keyed).join(", ")}`)
      const term = value === "" ? undefined : make(value)
      if (term === undefined) return refuse(`a value for ${key}`)
      terms.push(term)
    } else if (word.includes("/") && /^[0-9a-f]/.test(word)) {
      const term = inNetwork(word)
      if (term === undefined) return refuse("a network such as 10.2.0.0/16")
      terms.push(term)
    } else
      terms.push(
        (s) => s.words.some((w) => w.toLowerCase().includes(word)) || s.ends.some((e) => e.addresses.some((a) => a.includes(word)))
      )
  }
  return Effect.succeed((subject) => terms.every((term) => term(subject)))
}
