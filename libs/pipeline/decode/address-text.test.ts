import { isIPv6 } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { hexText, ipv4Text, ipv6Text, macText } from "./address-text.ts"
import { seeded } from "./encode.fixture.ts"

const six = (...groups: ReadonlyArray<number>) => {
  const view = new DataView(new ArrayBuffer(16))
  groups.forEach((group, i) => {
    view.setUint16(i * 2, group)
  })
  return ipv6Text(view, 0)
}

describe("addresses as text", () => {
  it("write IPv4 with dots", () => {
    assert.deepStrictEqual([0, 0xffffffff, 0xc0000201].map(ipv4Text), ["0.0.0.0", "255.255.255.255", "192.0.2.1"])
  })

  it("write IPv6 as RFC 5952 says", () => {
    assert.strictEqual(six(0, 0, 0, 0, 0, 0, 0, 0), "::")
    assert.strictEqual(six(0, 0, 0, 0, 0, 0, 0, 1), "::1")
    assert.strictEqual(six(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), "2001:db8::")
    assert.strictEqual(six(0x2001, 0xdb8, 0, 1, 1, 1, 1, 1), "2001:db8:0:1:1:1:1:1")
    assert.strictEqual(six(0x2001, 0xdb8, 0, 0, 1, 0, 0, 1), "2001:db8::1:0:0:1")
    assert.strictEqual(six(0x2001, 0, 0, 1, 0, 0, 0, 1), "2001:0:0:1::1")
    assert.strictEqual(six(0xfe80, 0, 0, 0, 0, 0, 0, 0xabcd), "fe80::abcd")
  })

  it("write the same IPv6 text as the URL standard, whatever the address", () => {
    const random = seeded(9)
    for (let i = 0; i < 3000; i++) {
      const text = six(...Array.from({ length: 8 }, () => (random.below(2) === 0 ? 0 : random.below(65536))))
      assert.isTrue(isIPv6(text), text)
      assert.strictEqual(new URL(`http://[${text}]/`).hostname, `[${text}]`)
    }
  })

  it("write MACs and octets in lower-case hex", () => {
    const view = new DataView(Uint8Array.from([0, 0x1b, 0xff, 4, 5, 6]).buffer)
    assert.strictEqual(macText(view, 0), "00:1b:ff:04:05:06")
    assert.strictEqual(hexText(view, 1, 2), "1bff")
  })
})
