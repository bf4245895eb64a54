/**
 * The filter line, the same in every list, on the map and in the API:
 *
 *     web type:db seen:<1h port:5432 service:postgresql 10.2.0.0/16 internal:yes confidence:>0.8 -tag:lab
 *
 * Terms are joined by "and"; `-` before a term turns it around; a word without a key is part of a name, an address or a network; double
 * quotes hold spaces together. Pure and safe in a browser: the console completes with the same table that the server parses with.
 */
import { Result } from "effect"
import { canonicalAddress, ipv4Value } from "./Address.ts"
import type { AssetType } from "./Asset.ts"
import { type AssetFamily, assetTypes, families } from "./AssetFamily.ts"
import { FilterInvalid } from "./Topology.ts"

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
  | { readonly kind: "port"; readonly from: number; readonly to: number }
  | { readonly kind: "number"; readonly field: NumberField; readonly compare: Comparison; readonly value: number }
  | { readonly kind: "age"; readonly field: "seen" | "first"; readonly compare: Comparison; readonly seconds: number }

export type TextField = "name" | "tag" | "environment" | "service" | "client" | "server"
export type NumberField = "confidence" | "bytes" | "flows" | "clients" | "servers"

export interface Term {
  readonly negated: boolean
  readonly condition: Condition
  /** Where it stands in the line, in characters. */
  readonly position: number
}
export type Filter = ReadonlyArray<Term>

interface Field {
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

const protocols: Record<string, number> = { icmp: 1, tcp: 6, udp: 17, gre: 47, esp: 50, icmpv6: 58, sctp: 132 }
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

const oneOf =
  <A extends string>(kind: "state", values: ReadonlyArray<A>) =>
  (value: string): Condition | undefined =>
    values.includes(value as A) ? ({ kind, state: value } as Condition) : undefined

/** Every key, in the order of completion. */
export const filterFields: ReadonlyArray<Field> = [
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
    expected: `one of ${Object.keys(protocols).join(", ")}, or a protocol number`,
    values: Object.keys(protocols),
    read: (value) => {
      const known = protocols[value.toLowerCase()]
      const protocol = known ?? (/^[0-9]{1,3}$/.test(value) ? Number(value) : 256)
      return protocol <= 255 ? { kind: "protocol", protocol } : undefined
    }
  },
  {
    key: "internal",
    title: "inside the declared ranges",
    subjects: both,
    expected: "yes or no",
    values: ["yes", "no"],
    read: (value) => (value === "yes" || value === "no" ? { kind: "internal", internal: value === "yes" } : undefined)
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
    values: ["active", "stale", "weak"],
    read: oneOf("state", ["active", "stale", "weak"])
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

const aliases: Record<string, string> = { env: "environment", proto: "protocol", svc: "service" }

/** Longer lines are nobody's typing. */
export const filterLimit = 1000

interface Token {
  readonly position: number
  readonly negated: boolean
  readonly key: string | undefined
  readonly value: string
  readonly valuePosition: number
}

/** Cuts the line into terms. `position` of an unclosed quote is that quote's. */
const tokens = (line: string): Result.Result<ReadonlyArray<Token>, { readonly position: number; readonly expected: string }> => {
  const found: Array<Token> = []
  let at = 0
  while (at < line.length) {
    if (/\s/.test(line[at]!)) {
      at++
      continue
    }
    const position = at
    const negated = line[at] === "-" && at + 1 < line.length && !/\s/.test(line[at + 1]!)
    if (negated) at++
    const keyed = /^([a-zA-Z]+):/.exec(line.slice(at))
    // an IPv6 address has colons, too: fe80::1
    const key = keyed !== null && readNetwork(line.slice(at).split(/\s/, 1)[0]!) === undefined ? keyed[1]!.toLowerCase() : undefined
    if (key !== undefined) at += key.length + 1
    const valuePosition = at
    let value = ""
    while (at < line.length && !/\s/.test(line[at]!)) {
      if (line[at] !== '"') {
        value += line[at++]
        continue
      }
      const close = line.indexOf('"', at + 1)
      if (close < 0) return Result.fail({ position: at, expected: "a closing quote" })
      value += line.slice(at + 1, close)
      at = close + 1
    }
    found.push({ position, negated, key, value, valuePosition })
  }
  return Result.succeed(found)
}

export const parseFilter = (line: string, subject: FilterSubject): Result.Result<Filter, FilterInvalid> => {
  const refuse = (position: number, expected: string) =>
    Result.fail(new FilterInvalid({ filter: line.slice(0, filterLimit), position, expected }))
  if (line.length > filterLimit) return refuse(filterLimit, `at most ${filterLimit} characters`)
  if (line.includes("\0")) return refuse(line.indexOf("\0"), "text")
  const cut = tokens(line)
  if (Result.isFailure(cut)) return refuse(cut.failure.position, cut.failure.expected)
  const terms: Array<Term> = []
  for (const { position, negated, key, value, valuePosition } of cut.success) {
    if (key === undefined) {
      if (value === "") return refuse(position, "a word or a key such as type:")
      const network = readNetwork(value)
      terms.push({
        position,
        negated,
        condition: network === undefined ? { kind: "word", text: value } : { kind: "network", network, end: "any" }
      })
      continue
    }
    const field = filterFields.find((candidate) => candidate.key === (aliases[key] ?? key) && candidate.subjects.includes(subject))
    if (field === undefined) {
      return refuse(
        position,
        `one of ${filterFields
          .filter((known) => known.subjects.includes(subject))
          .map((known) => `${known.key}:`)
          .join(" ")}`
      )
    }
    const condition = value === "" ? undefined : field.read(value)
    if (condition === undefined) return refuse(valuePosition, field.expected)
    terms.push({ position, negated, condition })
  }
  return Result.succeed(terms)
}

export interface Completion {
  /** Replaces the characters from `from` to the cursor. */
  readonly text: string
  readonly from: number
  readonly title: string
}

/** What may stand at the cursor: keys that begin with what is there, or values of the key before it. */
export const completeFilter = (line: string, cursor: number, subject: FilterSubject): ReadonlyArray<Completion> => {
  const start = line.slice(0, cursor).search(/\S*$/)
  const from = line[start] === "-" ? start + 1 : start
  const word = line.slice(from, cursor).toLowerCase()
  const colon = word.indexOf(":")
  const fields = filterFields.filter((field) => field.subjects.includes(subject))
  if (colon < 0) {
    return fields
      .filter((field) => field.key.startsWith(word))
      .map((field) => ({ text: `${field.key}:`, from, title: field.title }))
  }
  const key = word.slice(0, colon)
  const field = fields.find((candidate) => candidate.key === (aliases[key] ?? key))
  const begun = word.slice(colon + 1)
  return (field?.values ?? [])
    .filter((value) => value.startsWith(begun) && value !== begun)
    .map((value) => ({ text: value, from: from + colon + 1, title: field!.title }))
}
