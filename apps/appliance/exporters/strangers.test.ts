import { assert, it } from "@effect/vitest"
import { DateTime } from "effect"
import { Address } from "#domain/Address.ts"
import { Exporter, nothingHeard } from "#domain/Exporter.ts"
import { ExporterPolicy, undecided } from "#domain/ExporterPolicy.ts"
import { ExporterId } from "#domain/ids.ts"
import { strangersOf } from "./strangers.ts"

const exporter = (id: number, heardFor: number, change: Partial<ConstructorParameters<typeof Exporter>[0]> = {}) =>
  new Exporter({
    ...nothingHeard,
    id: ExporterId.make(String(id)),
    address: Address.make(`192.0.2.${id}`),
    protocol: "ipfix",
    firstSeen: DateTime.makeUnsafe(id * 1000),
    lastSeen: DateTime.makeUnsafe(id * 1000 + heardFor),
    ...change
  })
const decided = new ExporterPolicy({ ...undecided, approval: "approved", decidedBy: "anna", decidedAt: DateTime.makeUnsafe(1) })

it("leaves only so many rows of senders heard for a moment, and all others", () => {
  const rows = [
    exporter(7, 0),
    exporter(1, 0, { policy: decided }),
    exporter(2, 0, { name: "edge" }),
    exporter(3, 60_000),
    exporter(4, 59_000),
    exporter(5, 0),
    exporter(6, 0)
  ]
  const ids = (most: number) => strangersOf(rows, ({ id }) => id === "5", most).map(({ id }) => id)
  assert.deepStrictEqual(ids(7), [])
  assert.deepStrictEqual(ids(6), ["6"])
  assert.deepStrictEqual(ids(5), ["6", "7"])
  assert.deepStrictEqual(ids(0), ["6", "7", "4"])
})
