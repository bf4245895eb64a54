/** Octets as somebody broken, or somebody clever, would change them. Everything comes from the seed. */
import type { Random } from "#pipeline/decode/encode.fixture.ts"

/** Numbers that have broken parsers: zero, one off, all ones, sign bits. */
const nasty8 = [0, 1, 2, 3, 4, 7, 8, 9, 0x7f, 0x80, 0xfe, 0xff] as const
const nasty16 = [0, 1, 3, 4, 5, 7, 8, 15, 16, 255, 256, 257, 1500, 0x7fff, 0x8000, 0xfffe, 0xffff] as const
const nasty32 = [0, 1, 2, 4, 255, 65535, 65536, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff] as const

const insert = (octets: Uint8Array, at: number, part: Uint8Array, most: number): Uint8Array => {
  const grown = new Uint8Array(octets.length + part.length)
  grown.set(octets.subarray(0, at))
  grown.set(part, at)
  grown.set(octets.subarray(at), at + part.length)
  return grown.length > most ? grown.subarray(0, most) : grown
}

const once = (random: Random, octets: Uint8Array, pool: ReadonlyArray<Uint8Array>, most: number): Uint8Array => {
  const at = random.below(octets.length)
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength)
  switch (random.below(12)) {
    case 0:
      return octets.subarray(0, at)
    case 1:
      octets[at] = random.pick(nasty8)
      return octets
    case 2:
      octets[at] = random.u32()
      return octets
    case 3:
      octets[at]! ^= 1 << random.below(8)
      return octets
    case 4:
      if (octets.length >= 2) view.setUint16(Math.min(at & ~1, octets.length - 2), random.pick(nasty16), random.below(4) === 0)
      return octets
    case 5:
      if (octets.length >= 4) view.setUint32(Math.min(at & ~3, octets.length - 4), random.pick(nasty32), random.below(4) === 0)
      return octets
    case 6: {
      // one off, up or down: counts and lengths that nearly fit
      if (octets.length < 2) return octets
      const where = Math.min(at & ~1, octets.length - 2)
      view.setUint16(where, view.getUint16(where) + (random.below(2) === 0 ? 1 : -1) * (1 + random.below(4)))
      return octets
    }
    case 7: {
      const other = random.pick(pool)
      octets.set(other.subarray(0, Math.min(other.length, octets.length - at)), at)
      return octets
    }
    case 8: {
      // a part of another one, put between
      const other = random.pick(pool)
      const from = random.below(other.length + 1)
      return insert(octets, at, other.subarray(from, from + random.below(200)), most)
    }
    case 9:
      return insert(octets, at, octets.slice(at, at + 4 + random.below(64)), most)
    case 10: {
      // a part many times over
      const part = octets.slice(at, at + 4 + random.below(60))
      const many = new Uint8Array(Math.min(most, part.length * (1 + random.below(random.below(20) === 0 ? 1500 : 20))))
      for (let i = 0; i < many.length; i += part.length) many.set(part.subarray(0, many.length - i), i)
      return insert(octets, at, many, most)
    }
    default: {
      const cut = random.below(40)
      const shorter = new Uint8Array(Math.max(0, octets.length - cut))
      shorter.set(octets.subarray(0, Math.min(at, shorter.length)))
      if (at < shorter.length) shorter.set(octets.subarray(octets.length - (shorter.length - at)), at)
      return shorter
    }
  }
}

/** A changed copy, of `most` octets at most. */
export const mutate = (random: Random, base: Uint8Array, pool: ReadonlyArray<Uint8Array>, most: number): Uint8Array => {
  let octets: Uint8Array = base.slice(0, most)
  for (let i = random.below(random.below(4) === 0 ? 16 : 5); i >= 0 && octets.length > 0; i--)
    octets = once(random, octets, pool, most)
  return octets
}
