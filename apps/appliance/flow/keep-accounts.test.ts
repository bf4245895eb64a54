import { assert, describe, it } from "vitest"
import type { Announcement, LearnedTemplate } from "#domain/LearnedTemplate.ts"
import type { ExporterTotals } from "./FlowLedger.ts"
import { makeTemplateBook, worthKeeping } from "./keep-accounts.ts"

const template = (id: number, kind: "data" | "options" = "data"): LearnedTemplate => ({
  exporter: "192.0.2.1",
  version: 10,
  domain: 1,
  id,
  kind,
  scopeFieldCount: kind === "options" ? 1 : 0,
  fields: [[0, 8, 4]]
})
const announcement = (rate: number): Announcement => ({
  exporter: "192.0.2.1",
  version: 10,
  domain: 1,
  systemInitMs: 0,
  general: rate,
  rate,
  bySampler: [],
  byInterface: []
})
const nothing = { learned: [], withdrawn: [], announced: [] }

describe("the book of templates", () => {
  it("forgets the one that was withdrawn, or all of its kind", () => {
    const book = makeTemplateBook([template(256), template(257), template(300, "options")])
    const withdraw = (id: number, kind: "data" | "options") =>
      book.apply({ ...nothing, withdrawn: [{ exporter: "192.0.2.1", domain: 1, id, kind }] })
    withdraw(256, "data")
    assert.deepStrictEqual(
      book.all().map(({ id }) => id),
      [257, 300]
    )
    withdraw(0, "options")
    assert.deepStrictEqual(
      book.all().map(({ id }) => id),
      [257]
    )
  })

  it("keeps the latest announcement of each domain, and not more than it can hold", () => {
    const book = makeTemplateBook([], [announcement(10)])
    book.apply({ ...nothing, announced: [announcement(100), { ...announcement(7), domain: 2 }] })
    assert.deepStrictEqual(
      book.announcements().map(({ rate }) => rate),
      [100, 7]
    )
    book.apply({
      ...nothing,
      announced: Array.from({ length: 30_000 }, (_, domain) => ({ ...announcement(3), domain: domain + 10 }))
    })
    assert.strictEqual(book.announcements().length, 20_000)
  })
})

describe("exporters worth keeping", () => {
  const senders = (count: number, proven: boolean) =>
    Array.from({ length: count }, () => ({ proven, datagrams: 1 }) as ExporterTotals)
  it("are all of them while few send nothing decodable, else those that do", () => {
    assert.strictEqual(worthKeeping([...senders(3, true), ...senders(10, false)]).length, 13)
    assert.strictEqual(worthKeeping([...senders(3, true), ...senders(1000, false)]).length, 3)
  })

  it("are not those of whom nothing was taken, because they are blocked", () => {
    assert.deepStrictEqual(worthKeeping([{ proven: false, datagrams: 0, blocked: 9 } as ExporterTotals]), [])
  })
})
