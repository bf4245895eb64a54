/** Octets of an address in text form: 4 or 16, undefined when it is none. */
export const parseIp = (text: string): Uint8Array | undefined => {
  if (!text.includes(":")) {
    const parts = text.split(".").map(Number)
    return parts.length === 4 && parts.every((one) => Number.isInteger(one) && one >= 0 && one < 256)
      ? Uint8Array.from(parts)
      : undefined
  }
  const [head = "", tail, more] = text.split("::")
  if (more !== undefined) return undefined
  const words = (part: string): Array<number> =>
    part === ""
      ? []
      : part.split(":").flatMap((word) => {
          if (!word.includes(".")) return [Number.parseInt(word, 16)]
          const four = parseIp(word) ?? [Number.NaN]
          return [(four[0]! << 8) | four[1]!, (four[2]! << 8) | four[3]!]
        })
  const before = words(head)
  const after = tail === undefined ? [] : words(tail)
  const missing = 8 - before.length - after.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const all = [...before, ...new Array<number>(missing).fill(0), ...after]
  if (all.some((word) => !(word >= 0 && word <= 0xffff))) return undefined
  return Uint8Array.from(all.flatMap((word) => [word >> 8, word & 255]))
}
