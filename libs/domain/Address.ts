/**
 * Addresses: the one place they are parsed and written. In rows and on the wire an address is text in its shortest form (RFC 5952)
 * without a prefix length; on the hot path IPv4 is an unsigned integer and IPv6 sixteen bytes.
 */
import { Result, Schema } from "effect"
import { IpNetwork, NetAddress } from "effect/net"

const parse = (text: string) => NetAddress.ipFromString(text)

/** Shortest text of an address, or undefined when `text` is none. An `/32` or `/128` behind it is dropped: the same host. */
export const canonicalAddress = (text: string): string | undefined => {
  const bare = text.replace(text.includes(":") ? /\/128$/ : /\/32$/, "")
  const parsed = parse(bare)
  return Result.isSuccess(parsed) ? NetAddress.formatIp(parsed.success) : undefined
}

/** An IPv4 or IPv6 address as text, e.g. `10.2.0.14` or `2001:db8::1`. */
export const Address = Schema.String.check(
  Schema.makeFilter((text: string) => canonicalAddress(text) === text || `${text} is not an IP address in its shortest form`)
).pipe(Schema.brand("Address"))
export type Address = typeof Address.Type

/** A network as text, e.g. `10.0.0.0/8`. */
export const Cidr = Schema.String.check(
  Schema.makeFilter((text: string) => Result.isSuccess(IpNetwork.fromString(text)) || `${text} is not a network such as 10.0.0.0/8`)
)

export const MacAddress = Schema.String.check(Schema.isPattern(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/))

export const ipv4Text = (value: number): string => `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`

/** Unsigned integer of dotted text, or undefined. */
export const ipv4Value = (text: string): number | undefined => {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (match === null) return undefined
  let value = 0
  for (let i = 1; i <= 4; i++) {
    const octet = Number(match[i])
    if (octet > 255) return undefined
    value = value * 256 + octet
  }
  return value
}

/** RFC 5952 text of the sixteen bytes at `offset`. */
export const ipv6Text = (bytes: Uint8Array, offset = 0): string => {
  const words: Array<number> = []
  for (let i = 0; i < 16; i += 2) words.push((bytes[offset + i]! << 8) | bytes[offset + i + 1]!)
  // ::ffff:a.b.c.d is written with its IPv4 part (RFC 5952 §5)
  if (words.slice(0, 5).every((w) => w === 0) && words[5] === 0xffff) {
    return `::ffff:${bytes[offset + 12]}.${bytes[offset + 13]}.${bytes[offset + 14]}.${bytes[offset + 15]}`
  }
  let best = -1
  let length = 1
  for (let i = 0; i < 8; i++) {
    let run = 0
    while (i + run < 8 && words[i + run] === 0) run++
    if (run > length) {
      best = i
      length = run
    }
    i += run
  }
  const hex = (part: ReadonlyArray<number>) => part.map((w) => w.toString(16)).join(":")
  return best < 0 ? hex(words) : `${hex(words.slice(0, best))}::${hex(words.slice(best + length))}`
}

/** Sixteen bytes of an IPv6 address text, or undefined. */
export const ipv6Bytes = (text: string): Uint8Array | undefined => {
  const parsed = NetAddress.ipv6FromString(text)
  return Result.isSuccess(parsed) ? (NetAddress.ipv6ToOctets(parsed.success) as unknown as Uint8Array) : undefined
}

/** A set of networks that answers membership for text, integers and bytes without allocating. */
export interface NetworkSet {
  readonly hasV4: (value: number) => boolean
  readonly hasV6: (bytes: Uint8Array, offset: number) => boolean
  readonly hasText: (address: string) => boolean
}

export const networkSet = (cidrs: ReadonlyArray<string>): NetworkSet => {
  const v4: Array<readonly [base: number, mask: number]> = []
  const v6: Array<readonly [base: Uint8Array, bits: number]> = []
  for (const cidr of cidrs) {
    const [address = "", prefix = ""] = cidr.split("/")
    const bits = Number(prefix)
    const value = ipv4Value(address)
    if (value !== undefined) {
      const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0
      v4.push([(value & mask) >>> 0, mask])
    } else {
      const bytes = ipv6Bytes(address)
      if (bytes !== undefined) v6.push([bytes, bits])
    }
  }
  const hasV4 = (value: number) => v4.some(([base, mask]) => (value & mask) >>> 0 === base)
  const hasV6 = (bytes: Uint8Array, offset: number) =>
    v6.some(([base, bits]) => {
      const whole = bits >> 3
      for (let i = 0; i < whole; i++) if (base[i] !== bytes[offset + i]) return false
      const rest = bits & 7
      return rest === 0 || base[whole]! >> (8 - rest) === bytes[offset + whole]! >> (8 - rest)
    })
  return {
    hasV4,
    hasV6,
    hasText: (address) => {
      const value = ipv4Value(address)
      if (value !== undefined) return hasV4(value)
      const bytes = ipv6Bytes(address)
      return bytes !== undefined && hasV6(bytes, 0)
    }
  }
}

/** RFC 1918, RFC 4193, RFC 6598 and link-local: what is internal unless the operator declares otherwise (FL-ENR-06). */
export const defaultInternalRanges = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "169.254.0.0/16",
  "127.0.0.0/8",
  "fc00::/7",
  "fe80::/10",
  "::1/128"
] as const
