/**
 * The address in a `sockaddr_in` or `sockaddr_in6` (ip(7), ipv6(7)) as text. A sender's is written once, not once a datagram: each address has
 * one place in a table by its bits, and of two that fall on the same place the latter stays. So whoever invents senders costs no memory.
 */
import { ipv4Text, ipv6Text } from "../decode/address-text.ts"

const AF_INET6 = 10
const PLACES = 4096
/** ::ffff:0:0/96, third word, as a little-endian machine reads it. */
const MAPPED = 0xffff0000

/** IPv4 senders are written as such on a socket of both families, too; the zone of a link-local one is left out. `at`: octets, a multiple of 4. */
export const makeSockaddrText = (memory: ArrayBuffer): ((at: number) => string) => {
  const words = new Uint32Array(memory)
  const view = new DataView(memory)
  const keys = new Uint32Array(PLACES * 4)
  const texts = new Array<string>(PLACES).fill("")
  return (at) => {
    const word = at >> 2
    const six = (words[word]! & 0xffff) === AF_INET6
    const a = six ? words[word + 2]! : 0
    const b = six ? words[word + 3]! : 0
    const c = six ? words[word + 4]! : MAPPED
    const d = six ? words[word + 5]! : words[word + 1]!
    const mixed = Math.imul(a ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c ^ Math.imul(d, 0xc2b2ae35), 0x27d4eb2f), 0x9e3779b1)
    const place = (mixed ^ (mixed >>> 15)) & (PLACES - 1)
    const key = place << 2
    const known = texts[place]!
    if (known !== "" && keys[key] === a && keys[key + 1] === b && keys[key + 2] === c && keys[key + 3] === d) return known
    const text = a === 0 && b === 0 && c === MAPPED ? ipv4Text(view.getUint32(at + (six ? 20 : 4))) : ipv6Text(view, at + 8)
    keys[key] = a
    keys[key + 1] = b
    keys[key + 2] = c
    keys[key + 3] = d
    texts[place] = text
    return text
  }
}
