/** IP protocol numbers that a map meets, by name (IANA protocol numbers registry). */
const names: Record<number, string> = {
  1: "icmp",
  2: "igmp",
  4: "ipip",
  6: "tcp",
  17: "udp",
  41: "ipv6",
  47: "gre",
  50: "esp",
  51: "ah",
  58: "icmpv6",
  88: "eigrp",
  89: "ospf",
  103: "pim",
  112: "vrrp",
  115: "l2tp",
  132: "sctp"
}

export const protocolName = (protocol: number): string => names[protocol] ?? `ip-${protocol}`

const numbers = new Map(Object.entries(names).map(([number, name]) => [name, Number(number)]))

/** By name, as `protocolName` writes it, or by number; undefined for neither. */
export const protocolNumber = (text: string): number | undefined => {
  const known = numbers.get(text.toLowerCase())
  if (known !== undefined) return known
  const number = /^(?:ip-)?(\d{1,3})$/i.exec(text)?.[1]
  return number !== undefined && Number(number) <= 255 ? Number(number) : undefined
}

/** `443/tcp`, or the protocol alone where there are no ports. */
export const portText = (port: number, protocol: number): string =>
  port === 0 ? protocolName(protocol) : `${port}/${protocolName(protocol)}`
