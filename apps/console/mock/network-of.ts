/** The network an address is grouped under: /24 or /64 inside, /16 or /32 outside. */
export const networkOf = (address: string, internal: boolean): string => {
  if (!address.includes(":")) {
    const [a, b, c] = address.split(".")
    return internal ? `${a}.${b}.${c}.0/24` : `${a}.${b}.0.0/16`
  }
  const words = address.split("::")[0]!.split(":")
  return internal ? `${words.slice(0, 4).join(":")}::/64` : `${words.slice(0, 2).join(":")}::/32`
}
