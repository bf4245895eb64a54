/**
 * The kinds of knob a configuration is made of. A knob knows its default, what it is for in one line, what is allowed, and how it is
 * read from a file (a YAML value) and from a variable (text); `config.ts` is the table of all of them.
 */

import { IpNetwork } from "effect/net"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { canonicalAddress } from "#domain/Address.ts"

export interface Knob<A> {
  readonly _tag: "knob"
  readonly default: A
  /** One line, no full stop. */
  readonly description: string
  /** Completes "allowed: …". */
  readonly allowed: string
  /** From the parsed value of a file; undefined when it is not allowed. */
  fromFile(value: unknown): A | undefined
  /** From the text of a variable; undefined when it is not allowed. */
  fromText(text: string): A | undefined
  /** Of a list: whether one element is allowed by itself, so that the wrong one can be named. */
  isElement?(value: unknown): boolean
  /** For people. A secret is not in it. */
  show(value: A): string
  /** For programs: plain JSON, no secret in it. */
  json(value: A): unknown
  /** True when even a wrong value must not be repeated. */
  readonly secret: boolean
}

export interface Section {
  readonly _tag: "section"
  readonly description: string
  readonly knobs: { readonly [name: string]: Knob<unknown> | Section }
}

/** The values of a section, shaped like it. */
export type ValuesOf<S> =
  S extends Knob<infer A>
    ? A
    : S extends { readonly _tag: "section"; readonly knobs: infer K }
      ? { readonly [Name in keyof K]: ValuesOf<K[Name]> }
      : never

export const section = <const K extends { readonly [name: string]: Knob<unknown> | Section }>(description: string, knobs: K) =>
  ({ _tag: "section", description, knobs }) as const

const knob = <A>(
  fields: Partial<Knob<A>> & Pick<Knob<A>, "default" | "description" | "allowed" | "fromFile" | "fromText">
): Knob<A> => ({
  _tag: "knob",
  show: String,
  json: (value) => value,
  secret: false,
  ...fields
})

export interface Range {
  readonly minimum: number
  readonly maximum: number
}

export const integer = (initial: number, { minimum, maximum }: Range, description: string): Knob<number> => {
  const within = (value: unknown) =>
    typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum ? value : undefined
  return knob({
    default: initial,
    description,
    allowed: `a whole number from ${minimum} to ${maximum}`,
    fromFile: within,
    fromText: (text) => (/^-?\d{1,15}$/.test(text) ? within(Number(text)) : undefined)
  })
}

/** 0 lets the system choose a free port, which a test wants and an exporter cannot find. */
export const port = (initial: number, description: string): Knob<number> =>
  integer(initial, { minimum: 0, maximum: 65_535 }, description)

/** A whole number of seconds that divides an hour, so that windows add up to the hourly roll-up. */
export const divisorOfAnHour = (initial: number, minimum: number, description: string): Knob<number> => {
  const base = integer(initial, { minimum, maximum: 3600 }, description)
  const divides = (value: number | undefined) => (value !== undefined && 3600 % value === 0 ? value : undefined)
  return {
    ...base,
    allowed: `a whole number from ${minimum} to 3600 that divides 3600`,
    fromFile: (value) => divides(base.fromFile(value)),
    fromText: (text) => divides(base.fromText(text))
  }
}

/** A number, whole or not. */
export const amount = (initial: number, { minimum, maximum }: Range, description: string): Knob<number> => {
  const within = (value: unknown) => (typeof value === "number" && value >= minimum && value <= maximum ? value : undefined)
  return knob({
    default: initial,
    description,
    allowed: `a number from ${minimum} to ${maximum}`,
    fromFile: within,
    fromText: (text) => (/^\d{0,15}\.?\d{1,15}$/.test(text) ? within(Number(text)) : undefined)
  })
}

export const fraction = (initial: number, description: string): Knob<number> => {
  const within = (value: unknown) => (typeof value === "number" && value >= 0 && value <= 1 ? value : undefined)
  return knob({
    default: initial,
    description,
    allowed: "a number from 0 to 1",
    fromFile: within,
    fromText: (text) => (/^\d*\.?\d+$/.test(text) ? within(Number(text)) : undefined)
  })
}

export const flag = (initial: boolean, description: string): Knob<boolean> =>
  knob({
    default: initial,
    description,
    allowed: "true or false",
    fromFile: (value) => (typeof value === "boolean" ? value : undefined),
    fromText: (text) => (text === "true" ? true : text === "false" ? false : undefined)
  })

export const choice = <const Options extends readonly [string, ...Array<string>]>(
  initial: Options[number],
  options: Options,
  description: string
): Knob<Options[number]> => {
  const among = (value: unknown) => options.find((option) => option === value)
  return knob<Options[number]>({ default: initial, description, allowed: options.join(", "), fromFile: among, fromText: among })
}

export const folder = (initial: string, description: string): Knob<string> => {
  const path = (value: unknown) => (typeof value === "string" && value.trim() !== "" && !value.includes("\0") ? value : undefined)
  return knob({ default: initial, description, allowed: "the path of a folder", fromFile: path, fromText: path })
}

/** A file that need not be named. */
export const file = (description: string): Knob<string | undefined> => {
  const path = (value: unknown) => (typeof value === "string" && value.trim() !== "" && !value.includes("\0") ? value : undefined)
  return knob<string | undefined>({
    default: undefined,
    description,
    allowed: "the path of a file",
    fromFile: path,
    fromText: path,
    show: (value) => value ?? "none",
    json: (value) => value ?? null
  })
}

export const address = (initial: string, description: string): Knob<string> => {
  const canonical = (value: unknown) => (typeof value === "string" ? canonicalAddress(value) : undefined)
  return knob({
    default: initial,
    description,
    allowed: "an IPv4 or IPv6 address (0.0.0.0 and :: mean every address)",
    fromFile: canonical,
    fromText: canonical
  })
}

const units: Readonly<Record<string, number>> = { "": 1, B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

const bytesText = (value: number): string => {
  const [unit, size] = Object.entries(units).findLast(([, size]) => value >= size && value % size === 0) ?? ["B", 1]
  return `${value / size} ${unit === "" ? "B" : unit}`
}

/** A size in octets: `16 MiB`, `65536`. */
export const bytes = (initial: number, { minimum, maximum }: Range, description: string): Knob<number> => {
  const within = (value: number) => (Number.isInteger(value) && value >= minimum && value <= maximum ? value : undefined)
  const fromText = (text: string) => {
    const match = /^(\d{1,12}) ?(|B|KiB|MiB|GiB)$/.exec(text)
    return match === null ? undefined : within(Number(match[1]) * units[match[2]!]!)
  }
  return knob({
    default: initial,
    description,
    allowed: `a size from ${bytesText(minimum)} to ${bytesText(maximum)}, such as 512 KiB, 16 MiB or 1048576`,
    fromFile: (value) => (typeof value === "number" ? within(value) : typeof value === "string" ? fromText(value) : undefined),
    fromText,
    show: bytesText
  })
}

const everyOr = <A>(parsed: ReadonlyArray<A | undefined>): ReadonlyArray<A> | undefined =>
  parsed.every((one): one is A => one !== undefined) ? parsed : undefined

const commas = (text: string): ReadonlyArray<string> => (text.trim() === "" ? [] : text.split(",").map((part) => part.trim()))

/** Networks in their canonical form: `10.2.3.4/8` is a mistake and refused, as half of it would be ignored. */
export const networks = (initial: ReadonlyArray<string>, description: string): Knob<ReadonlyArray<string>> => {
  const network = (value: unknown): string | undefined => {
    if (typeof value !== "string") return undefined
    const parsed = IpNetwork.fromString(value)
    return Result.isSuccess(parsed) && IpNetwork.format(parsed.success) === value.toLowerCase() ? value.toLowerCase() : undefined
  }
  return knob<ReadonlyArray<string>>({
    default: initial,
    description,
    allowed: "a list of networks such as 10.0.0.0/8, host bits zero (in the variable separated by commas)",
    fromFile: (value) => (Array.isArray(value) ? everyOr(value.map(network)) : undefined),
    fromText: (text) => everyOr(commas(text).map(network)),
    isElement: (value) => network(value) !== undefined,
    show: (value) => (value.length === 0 ? "none" : value.join(", "))
  })
}

export interface ServiceOverride {
  readonly port: number
  readonly protocol: "tcp" | "udp" | "sctp"
  readonly name: string
}

const serviceProtocols = ["tcp", "udp", "sctp"] as const

const service = (value: unknown): ServiceOverride | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  const { port, protocol, name, ...rest } = value as Record<string, unknown>
  const known = serviceProtocols.find((one) => one === protocol)
  if (Object.keys(rest).length > 0 || known === undefined) return undefined
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined
  // The length of an IANA service name is 15; names of one's own are longer, but a map label is not a sentence.
  if (typeof name !== "string" || !/^[\w][\w.+ -]{0,39}$/.test(name)) return undefined
  return { port, protocol: known, name }
}

const distinct = (services: ReadonlyArray<ServiceOverride> | undefined) =>
  services !== undefined && new Set(services.map((one) => `${one.port}/${one.protocol}`)).size === services.length
    ? services
    : undefined

/** Names for ports: a list of `{ port, protocol, name }`; in the variable `8045/tcp=our-erp, 9000/udp=telemetry`. */
export const services = (initial: ReadonlyArray<ServiceOverride>, description: string): Knob<ReadonlyArray<ServiceOverride>> =>
  knob<ReadonlyArray<ServiceOverride>>({
    default: initial,
    description,
    allowed:
      "a list such as [{ port: 8045, protocol: tcp, name: our-erp }], each port and protocol once, protocol tcp, udp or sctp, " +
      "a name of at most 40 letters, digits, blanks and . _ + - (in the variable 8045/tcp=our-erp, separated by commas)",
    fromFile: (value) => (Array.isArray(value) ? distinct(everyOr(value.map(service))) : undefined),
    isElement: (value) => service(value) !== undefined,
    fromText: (text) =>
      distinct(
        everyOr(
          commas(text).map((part) => {
            const match = /^(\d{1,5})\/([a-z]+)=(.+)$/.exec(part)
            return match === null ? undefined : service({ port: Number(match[1]), protocol: match[2], name: match[3] })
          })
        )
      ),
    show: (value) => (value.length === 0 ? "none" : value.map((one) => `${one.port}/${one.protocol}=${one.name}`).join(", "))
  })

/** Address of a PostgreSQL server, kept redacted: it holds a password. */
export const databaseUrl = (description: string): Knob<Redacted.Redacted | undefined> => {
  const redacted = (value: unknown) => {
    if (typeof value !== "string" || !/^postgres(ql)?:\/\//.test(value) || !URL.canParse(value)) return undefined
    return Redacted.make(value, { label: "database.url" })
  }
  const show = (value: Redacted.Redacted | undefined) => (value === undefined ? "embedded" : withoutSecrets(Redacted.value(value)))
  return knob<Redacted.Redacted | undefined>({
    default: undefined,
    description,
    allowed: "an address such as postgresql://user:password@host:5432/database",
    secret: true,
    fromFile: redacted,
    fromText: redacted,
    show,
    json: (value) => (value === undefined ? null : show(value))
  })
}

/** The password goes, and so does every parameter that is not known to be harmless. */
const withoutSecrets = (text: string): string => {
  const url = new URL(text)
  const credentials = url.username === "" ? "" : `${url.username}${url.password === "" ? "" : ":<redacted>"}@`
  const harmless = new Set(["host", "port", "sslmode", "application_name", "dbname", "user"])
  const parameters = [...url.searchParams].map(([name, value]) => `${name}=${harmless.has(name) ? value : "<redacted>"}`)
  return `${url.protocol}//${credentials}${url.host}${url.pathname}${parameters.length === 0 ? "" : `?${parameters.join("&")}`}`
}
