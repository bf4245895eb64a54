/** A number of 64 bits in two halves that names an address: the address itself (IPv4), or a hash (IPv6). */
export interface AddressKey {
  readonly high: number
  readonly low: number
}

/** Two hashes of a text (FNV-1a, and the same mixed otherwise): nobody chooses IPv6 addresses that meet in both by accident. */
export const addressKey = (family: number, value: number, text: string): AddressKey => {
  if (family === 4) return { high: 0, low: value | 0 }
  let low = 0x811c9dc5
  let high = 0x9e3779b1
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    low = Math.imul(low ^ code, 0x01000193)
    high = Math.imul(high ^ code, 0x85ebca6b) ^ (high >>> 13)
  }
  return { high: high | 1, low: low | 0 }
}
