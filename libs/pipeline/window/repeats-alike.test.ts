import { assert, describe, it } from "@effect/vitest"
import { randomFrom, type TestRecord } from "../../../test/rig/flow-records.ts"
import { flowsOf, leftAlone, making, seeds } from "./repeats.fixture.ts"

describe("records that only look alike", () => {
  it("are left alone: links of a LAG or of equal cost with flows of their own", () => {
    for (const seed of seeds)
      leftAlone(
        flowsOf(seed, 6000, (i) => ({ input: 1 + (i % 4), output: 10 + (i % 3) })),
        seed
      )
  })

  it("are left alone: links that share each flow packet by packet, be their packets all of one size", () => {
    for (const seed of seeds) {
      for (const size of [0, 172]) {
        const below = randomFrom(seed)
        const halves = flowsOf(seed, 5000).flatMap((flow) => {
          const one = Math.ceil(flow.packets / 2)
          const octets = (packets: number) => packets * (size > 0 ? size : 60 + below(1400))
          const first = { ...flow, packets: one, bytes: octets(one) }
          const other = {
            ...flow,
            packets: flow.packets - one,
            bytes: octets(flow.packets - one),
            input: 3,
            output: 4,
            start: flow.start + 1
          }
          return other.packets === 0 ? [first] : [first, other]
        })
        leftAlone(halves, seed)
      }
    }
  })

  it("are left alone: the two packets of a name query on two links", () => {
    const queries = flowsOf(3, 3000, () => ({ protocol: 17, destinationPort: 53, packets: 1, bytes: 71 }))
    leftAlone(
      queries.flatMap((one) => [
        { ...one, end: one.start },
        { ...one, end: one.start, input: 3, output: 4 }
      ])
    )
  })

  it("are left alone: sent again, from the same interfaces", () => {
    const flows = flowsOf(4, 3000)
    leftAlone([...flows, ...flows])
    leftAlone(flows.flatMap((one) => [one, one]))
  })

  it("are left alone: slices of a long flow, on one path or moved to another, and answers on other interfaces", () => {
    const slices = flowsOf(5, 300, () => ({ packets: 500, bytes: 700_000 })).flatMap((flow) =>
      Array.from({ length: 6 }, (_, n) => ({
        ...flow,
        start: flow.start + n * 60_000,
        end: flow.start + n * 60_000 + 59_990,
        ...(n > 2 ? { input: 3, output: 4 } : {})
      }))
    )
    leftAlone([...slices].sort((a, b) => a.start - b.start))
    const asked = flowsOf(6, 3000, () => ({ packets: 8, bytes: 4000 }))
    leftAlone(
      asked.flatMap((one) => [
        one,
        {
          ...one,
          source: one.destination,
          destination: one.source,
          sourcePort: one.destinationPort,
          destinationPort: one.sourcePort,
          input: 4,
          output: 3
        }
      ])
    )
  })

  it("are left alone: the tuple before and after translation, ingress and egress that say so, no times", () => {
    const flows = flowsOf(7, 3000)
    const with_ = (change: (one: TestRecord) => Partial<TestRecord>) =>
      flows.flatMap((one) => [one, { ...one, input: 3, output: 4, ...change(one) }])
    leftAlone(with_(({ sourcePort }) => ({ sourcePort: sourcePort ^ 1 })))
    leftAlone(with_(({ source }) => ({ source: source ^ 0x8000 })))
    leftAlone(with_(() => ({ direction: 1 })).map((one) => (one.direction === 1 ? one : { ...one, direction: 0 })))
    leftAlone(with_(() => ({})).map((one) => ({ ...one, start: 0, end: 0 })))
  })

  it("are left alone: the same flow from another exporter", () => {
    const played = making()
    const flows = flowsOf(8, 2000)
    played.play(flows)
    played.play(flows.map((one) => ({ ...one, exporter: 4, input: 3, output: 4 })))
    assert.deepStrictEqual([played.end().counted.length, played.end().repeated], [4000, 0])
  })

  it("are left alone: two samplers that each took other packets", () => {
    for (const seed of seeds) {
      const below = randomFrom(seed)
      const sampled = (one: TestRecord, change: Partial<TestRecord>) => {
        const packets = Array.from({ length: Math.min(60, one.packets) }, () => below(10)).filter((taken) => taken === 0).length
        const start = one.start + below(one.end - one.start + 1)
        const end = start + below(one.end - start + 1)
        return packets === 0 ? [] : [{ ...one, ...change, packets, bytes: packets * 700, start, end, sampling: 10 }]
      }
      leftAlone(
        flowsOf(seed, 5000).flatMap((one) => [...sampled(one, {}), ...sampled(one, { input: 3, output: 4 })]),
        seed
      )
    }
  })
})
