import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { parseIp } from "./ip-octets.ts"
import { pcapHeading, pcapRecord } from "./pcap.ts"

/** Ones' complement sum over whole 16-bit words: 0xffff when the checksum within is right (RFC 1071 §1). */
const sum = (...parts: ReadonlyArray<Uint8Array>): number => {
  const all = Uint8Array.from(parts.flatMap((part) => [...part, ...(part.length % 2 === 1 ? [0] : [])]))
  let total = 0
  for (let i = 0; i < all.length; i += 2) total += (all[i]! << 8) | all[i + 1]!
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16)
  return total
}
const at = 1_700_000_000_123_456
const payload = Uint8Array.of(0, 9, 0, 1, 2, 3, 255)
const big = (value: number) => Uint8Array.of(value >>> 8, value & 255)

describe("a pcap record", () => {
  it("is a frame with right checksums, of IPv4", () => {
    const record = pcapRecord({ at, from: "192.0.2.1", fromPort: 50_000, to: "0.0.0.0", toPort: 2055, payload })
    const view = new DataView(record.buffer)
    assert.deepStrictEqual(
      [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(8, true), view.getUint32(12, true)],
      [1_700_000_000, 123_456, 49, 49]
    )
    const ip = record.subarray(30)
    assert.strictEqual(sum(ip.subarray(0, 20)), 0xffff)
    assert.strictEqual(sum(ip.subarray(12, 20), Uint8Array.of(0, 17), big(15), ip.subarray(20)), 0xffff)
    assert.deepStrictEqual([...ip.subarray(12, 20)], [192, 0, 2, 1, 0, 0, 0, 0])
    assert.deepStrictEqual([view.getUint16(50), view.getUint16(52)], [50_000, 2055])
    assert.deepStrictEqual([...ip.subarray(28)], [...payload])
  })

  it("is a frame with right checksums, of IPv6", () => {
    const record = pcapRecord({ at, from: "2001:db8::7", fromPort: 50_000, to: "0.0.0.0", toPort: 4739, payload })
    const ip = record.subarray(30)
    assert.strictEqual(ip[0]! >> 4, 6)
    assert.strictEqual(sum(ip.subarray(8, 40), big(15), Uint8Array.of(0, 17), ip.subarray(40)), 0xffff)
    assert.deepStrictEqual([...ip.subarray(8, 24)], [...parseIp("2001:db8::7")!])
  })

  const nfpcapd = "/usr/bin/nfpcapd"
  it.skipIf(!existsSync(nfpcapd))("is read by nfpcapd, which makes a flow of it", () => {
    const folder = mkdtempSync(join(tmpdir(), "flowlens-pcap-"))
    try {
      const file = join(folder, "capture.pcap")
      const records = Array.from({ length: 5 }, (_, i) =>
        pcapRecord({ at: at + i * 1000, from: "192.0.2.1", fromPort: 50_000, to: "198.51.100.7", toPort: 2055, payload })
      )
      writeFileSync(file, Buffer.concat([pcapHeading(), ...records]))
      execFileSync(nfpcapd, ["-r", file, "-l", folder], { stdio: "pipe" })
      const flows = readdirSync(folder).filter((name) => name.startsWith("nfcapd."))
      const text = execFileSync("/usr/bin/nfdump", ["-r", join(folder, flows[0]!), "-q", "-o", "fmt:%sa %sp %da %dp %pkt"], {
        encoding: "utf8"
      })
      assert.deepStrictEqual(text.trim().split(/\s+/), ["192.0.2.1", "50000", "198.51.100.7", "2055", "5"])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe("octets of an address", () => {
  it("are those of its text, or there are none", () => {
    assert.deepStrictEqual([...parseIp("::ffff:192.0.2.1")!].slice(10), [255, 255, 192, 0, 2, 1])
    assert.deepStrictEqual([...parseIp("fe80::1:2")!].slice(-4), [0, 1, 0, 2])
    for (const wrong of ["", "1.2.3", "1.2.3.256", "::1::2", "1:2:3:4:5:6:7:8:9", "2001:zz::1"]) {
      assert.strictEqual(parseIp(wrong), undefined, wrong)
    }
  })
})
