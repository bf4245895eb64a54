/**
 * What the filter line can say: one table of keys, each with what it is about, how its value is read, and what to offer for it. The
 * parser, the completion and the help read the same table.
 */
import { canonicalAddress, ipv4Value } from "./Address.ts"
import type { AssetType } from "./Asset.ts"
import { type AssetFamily, assetTypes, families } from "./AssetFamily.ts"
import { protocolNumber } from "./protocol.ts"

export type Comparison = "<" | "<=" | "=" | ">=" | ">"

/** What a filter can be about; a dependency's ends are assets, so it takes their terms too, true when either end fits. */
export type FilterSubject = "asset" | "dependency"

/** One condition. `seconds` of an age are before now: `seen:<1h` is an age below 3600. */
export type Condition =
  | { readonly kind: "word"; readonly text: string }
  | { readonly kind: "network"; readonly network: string; readonly end: "any" | "client" | "server" }
  | { readonly kind: "text"; readonly field: TextField; readonly text: string }
  | { readonly kind: "type"; readonly types: ReadonlyArray<AssetType> }
  | { readonly kind: "state"; readonly state: "active" | "stale" | "weak" }
  | { readonly kind: "protocol"; readonly protocol: number }
  | { readonly kind: "internal"; readonly internal: boolean }
  | { readonly kind: "blind"; readonly blind: boolean }
  | { readonly kind: "port"; readonly from: number; readonly to: number }
  | { readonly kind: "number"; readonly field: NumberField; readonly compare: Comparison; readonly value: number }
  | { readonly kind: "age"; readonly field: "seen" | "first"; readonly compare: Comparison; readonly seconds: number }

export type TextField = "name" | "tag" | "environment" | "service" | "client" | "server"
export type NumberField = "confidence" | "bytes" | "flows" | "clients" | "servers"

export interface FilterField {
  readonly key: string
  readonly title: string
  readonly subjects: ReadonlyArray<FilterSubject>
  /** What to say when the value cannot be read. */
  readonly expected: string
  /** Values worth offering; empty for free ones. */
  readonly values: ReadonlyArray<string>
  readonly read: (value: string) => Condition | undefined
}

const both: ReadonlyArray<FilterSubject> = ["asset", "dependency"]

const protocols = ["icmp", "tcp", "udp", "gre", "esp", "icmpv6", "sctp"]
const scale: Record<string, number> = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 }
const secondsIn: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

const readComparison = (value: string): readonly [Comparison, string] => {
  const match = /^(<=|>=|<|>|=)?(.*)$/s.exec(value)
  return [(match?.[1] ?? "=") as Comparison, match?.[2] ?? ""]
}

const number =
  (field: NumberField, unit: RegExp) =>
  (value: string): Condition | undefined => {
    const [compare, text] = readComparison(value)
    const match = unit.exec(text)
    if (match === null) return undefined
    return { kind: "number", field, compare, value: Number(match[1]) * scale[(match[2] ?? "").toLowerCase()]! }
  }
const count = /^([0-9]{1,15}(?:\.[0-9]{1,6})?)([kmgt]?)$/i
const share = /^(0(?:\.[0-9]{1,6})?|1(?:\.0{1,6})?)()$/

const age =
  (field: "seen" | "first") =>
  (value: string): Condition | undefined => {
    const [compare, text] = readComparison(value)
    const match = /^([0-9]{1,6})([smhdw])$/i.exec(text)
    if (match === null) return undefined
    // "seen:1h" is what people write for "within an hour"
    return {
      kind: "age",
      field,
      compare: compare === "=" ? "<" : compare,
      seconds: Number(match[1]) * secondsIn[match[2]!.toLowerCase()]!
    }
  }

const readTypes = (value: string): Condition | undefined => {
  const wanted = value.toLowerCase()
  const all = Object.entries(assetTypes) as ReadonlyArray<[AssetType, (typeof assetTypes)[AssetType]]>
  const exact = all.filter(([type, { letters }]) => type === wanted || letters.toLowerCase() === wanted).map(([type]) => type)
  const family = families.includes(wanted as AssetFamily)
    ? all.filter(([, entry]) => entry.family === wanted).map(([type]) => type)
    : []
  const begun = wanted.length >= 3 ? all.filter(([type]) => type.startsWith(wanted)).map(([type]) => type) : []
  const types = exact.length > 0 ? exact : family.length > 0 ? family : begun
  return types.length > 0 ? { kind: "type", types } : undefined
}

/** `10.2.0.14`, `10.2.0.0/16`, `2001:db8::/32`, or the beginning of an IPv4 address that ends with a dot: `10.2.`. */
export const readNetwork = (text: string): string | undefined => {
  const begun = /^((?:[0-9]{1,3}\.){1,3})$/.exec(text)
  if (begun !== null) {
    const octets = begun[1]!.split(".").slice(0, -1)
    const base = [...octets, "0", "0", "0"].slice(0, 4).join(".")
    return ipv4Value(base) === undefined
      ? undefined
      : `${octets.map(Number).concat([0, 0, 0]).slice(0, 4).join(".")}/${octets.length * 8}`
  }
  const [address = "", prefix, more] = text.split("/")
  const canonical = canonicalAddress(address)
  if (canonical === undefined || more !== undefined) return undefined
  if (prefix === undefined) return canonical
  const most = canonical.includes(":") ? 128 : 32
  return /^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= most ? `${canonical}/${Number(prefix)}` : undefined
}

const end =
  (field: "client" | "server") =>
  (value: string): Condition => {
    const network = readNetwork(value)
    return network === undefined ? { kind: "text", field, text: value } : { kind: "network", network, end: field }
  }

const text =
  (field: TextField) =>
  (value: string): Condition => ({ kind: "text", field, text: value })

const readPort = (value: string): Condition | undefined => {
  const match = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(value)
  if (match === null) return undefined
  const from = Number(match[1])
  const to = match[2] === undefined ? from : Number(match[2])
  return from <= to && to <= 65535 ? { kind: "port", from, to } : undefined
}

const states = ["active", "stale", "weak"] as const

const yes = (value: string): boolean | undefined => (value === "yes" ? true : value === "no" ? false : undefined)

/** Every key, in the order of completion. */
export const filterFields: ReadonlyArray<FilterField> = [
  {
    key: "type",
    title: "asset type, its two letters, or a family",
    subjects: both,
    expected: "an asset type such as database, or its two letters",
    values: [...Object.keys(assetTypes), ...families],
    read: readTypes
  },
  {
    key: "seen",
    title: "last seen within (<) or not since (>)",
    subjects: both,
    expected: "an age such as <1h or >7d (s, m, h, d, w)",
    values: ["<5m", "<1h", "<1d", ">1d", ">7d"],
    read: age("seen")
  },
  {
    key: "first",
    title: "first seen within (<) or before (>)",
    subjects: both,
    expected: "an age such as <1h or >7d (s, m, h, d, w)",
    values: ["<1h", "<1d", "<7d"],
    read: age("first")
  },
  {
    key: "port",
    title: "port of the server, or a range",
    subjects: both,
    expected: "a port or a range such as 8000-8999",
    values: ["22", "53", "80", "443", "5432"],
    read: readPort
  },
  { key: "service", title: "name of the service", subjects: both, expected: "a service name", values: [], read: text("service") },
  {
    key: "protocol",
    title: "IP protocol, by name or number",
    subjects: both,
    expected: `one of ${protocols.join(", ")}, or a protocol number`,
    values: protocols,
    read: (value) => {
      const protocol = protocolNumber(value)
      return protocol === undefined ? undefined : { kind: "protocol", protocol }
    }
  },
  {
    key: "internal",
    title: "inside the declared ranges",
    subjects: both,
    expected: "yes or no",
    values: ["yes", "no"],
    read: (value) => {
      const internal = yes(value)
      return internal === undefined ? undefined : { kind: "internal", internal }
    }
  },
  {
    key: "confidence",
    title: "confidence, 0 to 1",
    subjects: both,
    expected: "a number from 0 to 1 such as >0.8",
    values: [">0.8", "<0.5"],
    read: number("confidence", share)
  },
  {
    key: "state",
    title: "state of the dependency",
    subjects: ["dependency"],
    expected: "active, stale or weak",
    values: states,
    read: (value) => {
      const state = states.find((known) => known === value)
      return state === undefined ? undefined : { kind: "state", state }
    }
  },
  {
    key: "blind",
    title: "nobody looks now, so its silence means nothing",
    subjects: ["dependency"],
    expected: "yes or no",
    values: ["yes", "no"],
    read: (value) => {
      const blind = yes(value)
      return blind === undefined ? undefined : { kind: "blind", blind }
    }
  },
  {
    key: "client",
    title: "name, address or network of the client",
    subjects: ["dependency"],
    expected: "a name or network",
    values: [],
    read: end("client")
  },
  {
    key: "server",
    title: "name, address or network of the server",
    subjects: ["dependency"],
    expected: "a name or network",
    values: [],
    read: end("server")
  },
  { key: "name", title: "part of the name", subjects: both, expected: "part of a name", values: [], read: text("name") },
  { key: "tag", title: "tag, whole", subjects: both, expected: "a tag", values: [], read: text("tag") },
  {
    key: "environment",
    title: "environment, whole",
    subjects: both,
    expected: "an environment",
    values: [],
    read: text("environment")
  },
  {
    key: "bytes",
    title: "octets in all",
    subjects: both,
    expected: "a number such as >10G",
    values: [">1G"],
    read: number("bytes", count)
  },
  {
    key: "flows",
    title: "flow records in all",
    subjects: both,
    expected: "a number such as >1000",
    values: [">1k"],
    read: number("flows", count)
  },
  {
    key: "clients",
    title: "how many depend on it",
    subjects: ["asset"],
    expected: "a number such as >10",
    values: [">0", ">10"],
    read: number("clients", count)
  },
  {
    key: "servers",
    title: "on how many it depends",
    subjects: ["asset"],
    expected: "a number such as >10",
    values: [">0", ">10"],
    read: number("servers", count)
  }
]

/** Short forms of keys. */
export const filterAliases: Record<string, string> = { env: "environment", proto: "protocol", svc: "service" }
