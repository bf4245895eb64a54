import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { goodTerms } from "./coverage.fixture.ts"
import { type Cell, type CoverageTerms, coverageOf, coverageReasons, foldCells, looks, mergeTerms } from "./coverage.ts"

const of = (fields: Partial<CoverageTerms>) => {
  const terms = { ...goodTerms, ...fields }
  return [coverageOf(terms).state, looks(coverageOf(terms)), coverageReasons(terms)] as const
}

describe("coverage", () => {
  it("is good with nothing to say when everything arrived", () => {
    assert.deepStrictEqual(of({}), ["good", true, []])
    assert.strictEqual(coverageOf(goodTerms).quality, 1)
    // an exporter that has nothing to report is heard all the same
    assert.deepStrictEqual(of({ datagrams: 0, records: 0 }), ["good", true, []])
  })

  it("is blind when nothing was heard, or nothing could be read", () => {
    assert.deepStrictEqual(of({ heardSeconds: 0, datagrams: 0, records: 0 }), ["blind", false, ["silent"]])
    assert.deepStrictEqual(of({ records: 0, heldSets: 4 }), ["blind", false, ["all its flow sets wait for their template"]])
    assert.strictEqual(of({ datagrams: 0, records: 0, refused: 50 })[0], "blind")
  })

  it("says the worst first", () => {
    assert.deepStrictEqual(of({ heardSeconds: 60, sequenceLost: 250, sampling: 100 }), [
      "partial",
      false,
      ["heard for 60 of 300 s", "samples one packet of 100", "20 % of its datagrams lost on the way"]
    ])
    assert.deepStrictEqual(of({ sequenceUnit: "records", sequenceLost: 20_000 }), [
      "partial",
      true,
      ["50 % of its records lost on the way"]
    ])
    assert.deepStrictEqual(of({ pressure: 10 })[2], ["one record of 10 kept while the store lagged"])
    assert.deepStrictEqual(of({ kernelShare: 0.3 })[2], ["30 % of all datagrams dropped by the kernel"])
    assert.deepStrictEqual(of({ discardedShare: 0.004 })[2], ["<1 % of all records never written"])
    assert.deepStrictEqual(of({ skewMs: -400_000 }), ["good", true, ["its clock is 400 s ahead, which is corrected"]])
  })

  it("looks through a sampler, at less quality", () => {
    assert.deepStrictEqual(of({ sampling: 1000 }), ["sampled", true, ["samples one packet of 1000"]])
    assert.strictEqual(coverageOf({ ...goodTerms, sampling: 1000 }).quality, 0.25)
  })

  const Share = Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
  const N = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))
  const Terms = Schema.Struct({
    seconds: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3600 })),
    heardSeconds: N,
    datagrams: N,
    records: N,
    sequenceLost: N,
    sequenceUnit: Schema.Literals(["datagrams", "records"]),
    malformed: N,
    heldDropped: N,
    heldSets: N,
    refused: N,
    kernelShare: Share,
    discardedShare: Share,
    pressure: N,
    sampling: N,
    skewMs: Schema.NullOr(Schema.Int)
  })

  it.prop(
    "stays within 0..1, and nothing that gets worse makes it better",
    { terms: Terms, more: N, share: Share },
    ({ terms, more, share }) => {
      const { quality, clear } = coverageOf(terms)
      assert.isTrue(quality >= 0 && quality <= clear && clear <= 1)
      const worse: ReadonlyArray<Partial<CoverageTerms>> = [
        { sequenceLost: terms.sequenceLost + more },
        { malformed: terms.malformed + more },
        { heldDropped: terms.heldDropped + more },
        { refused: terms.refused + more },
        { pressure: terms.pressure + more },
        { sampling: terms.sampling + more },
        { heardSeconds: Math.max(0, terms.heardSeconds - more) },
        { kernelShare: Math.min(1, terms.kernelShare + share) },
        { discardedShare: Math.min(1, terms.discardedShare + share) }
      ]
      for (const change of worse) assert.isTrue(coverageOf({ ...terms, ...change }).quality <= quality + 1e-12)
    }
  )

  it.prop("gives a reason whenever it is not good", { terms: Terms }, ({ terms }) => {
    if (coverageOf(terms).state !== "good") assert.isAbove(coverageReasons(terms).length, 0)
  })

  it("judges two parts of a window together", () => {
    const both = mergeTerms(goodTerms, { ...goodTerms, heardSeconds: 0, datagrams: 0, records: 0, sampling: 10 })
    assert.deepInclude(both, { seconds: 600, heardSeconds: 300, datagrams: 1000, sampling: 10 })
    assert.strictEqual(coverageOf(both).heard, 0.5)
  })

  it("folds windows into hours that are blind only when all of them are", () => {
    const cell = (i: number, state: Cell["state"], reasons: ReadonlyArray<string> = []): Cell => ({
      at: i * 300_000,
      seconds: 300,
      state,
      quality: state === "blind" ? 0 : 1,
      reasons
    })
    const hour = (state: (i: number) => Cell["state"], from = 0) =>
      Array.from({ length: 12 }, (_, i) => cell(from + i, state(i), state(i) === "blind" ? ["silent"] : []))
    const folded = foldCells(
      [...hour(() => "blind"), ...hour((i) => (i < 3 ? "blind" : "good"), 12), ...hour(() => "good", 24)],
      3600
    )
    assert.deepStrictEqual(
      folded.map(({ at, state, quality, reasons }) => [at, state, quality, reasons]),
      [
        [0, "blind", 0, ["silent"]],
        [3_600_000, "partial", 0.75, ["blind for 15 of 60 min", "silent"]],
        [7_200_000, "good", 1, []]
      ]
    )
  })
})
