import { assert, describe, it } from "vitest"
import { serviceTypes, typeOf } from "./service-type.ts"

const tcp = (...ports: ReadonlyArray<number>) => ports.map((port) => ({ protocol: 6, port }))

describe("typeOf", () => {
  it("takes the most telling service, not the first or the commonest", () => {
    assert.strictEqual(typeOf([...tcp(22, 443, 53), { protocol: 6, port: 389 }]), "directory")
    assert.strictEqual(typeOf(tcp(22, 9100, 5432)), "database")
    assert.strictEqual(typeOf([{ protocol: 17, port: 53 }]), "dns")
  })

  it("calls what serves something unknown a server, and guesses nothing of what serves nothing", () => {
    assert.strictEqual(typeOf(tcp(8045)), "server")
    assert.strictEqual(typeOf([]), undefined)
  })

  it("tells protocols apart: NTP is a UDP service", () => {
    assert.strictEqual(typeOf(tcp(123)), "server")
    assert.strictEqual(typeOf([{ protocol: 17, port: 123 }]), "ntp")
  })

  it("ranks every line of the table", () => {
    assert.isTrue(serviceTypes.every(({ port, rank }) => port > 0 && port < 65_536 && rank >= 0))
  })
})
