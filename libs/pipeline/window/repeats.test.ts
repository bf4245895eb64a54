import { assert, describe, it } from "@effect/vitest"
import { randomFrom, type TestRecord, toBatch } from "../../../test/rig/flow-records.ts"
import { copyRow } from "../decode/copy-row.ts"
import { DIRECTION_UNKNOWN, type FlowBatch, makeFlowBatch } from "../decode/FlowBatch.ts"
import { makeRepeats } from "./repeats.ts"

const noon = 1_700_000_000_000
const seeds = Array.from({ length: 6 }, (_, seed) => seed + 1)

/** What a row is, but for when it came. */
const facts = (batch: FlowBatch, i: number): string =>
  [
    batch.exporter[i],
    batch.source[i],
    batch.destination[i],
    batch.family[i] === 6 ? batch.ipv6.subarray(i * 32, i * 32 + 32).join(".") : "",
    batch.sourcePort[i],
    batch.destinationPort[i],
    batch.start[i],
    batch.end[i],
    batch.packets[i],
    batch.bytes[i],
    batch.inputInterface[i],
    batch.outputInterface[i]
  ].join(" ")

/** Plays records in datagrams of one exporter, five milliseconds each, and gathers what is counted. */
const making = (seed = 1) => {
  const counted: Array<string> = []
  let octets = 0
  let repeated = 0
  let repeatedOctets = 0
  let nowMs = 0
  const repeats = makeRepeats({
    seed,
    repeated: (batch, row) => {
      repeated++
      repeatedOctets += batch.bytes[row]!
    }
  })
  const count = (batch: FlowBatch) => {
    for (let i = 0; i < batch.length; i++) {
      counted.push(facts(batch, i))
      octets += batch.bytes[i]!
    }
  }
  const release = (all: boolean) => {
    const batch = makeFlowBatch(1024)
    repeats.release(batch, nowMs, all)
    count(batch)
  }
  return {
    repeats,
    play: (records: ReadonlyArray<TestRecord>, domain = 0) => {
      for (let from = 0; from < records.length; from += 24) {
        const datagram = toBatch(records.slice(from, from + 24))
        // rows of other datagrams lie before it
        const batch = makeFlowBatch(64)
        for (let i = 0; i < datagram.length; i++) copyRow(datagram, i, batch, i + 7)
        batch.length = datagram.length + 7
        repeats.sift(records[from]!.exporter, domain, batch, 7, nowMs)
        const left = makeFlowBatch(64)
        for (let i = 7; i < batch.length; i++) copyRow(batch, i, left, left.length++)
        count(left)
        nowMs += 5
      }
    },
    wait: (ms: number) => {
      nowMs += ms
      release(false)
    },
    end: () => {
      release(true)
      return { counted, octets, repeated, repeatedOctets }
    },
    soFar: () => ({ counted: counted.length, repeated })
  }
}

const flowsOf = (seed: number, count: number, change: (i: number) => Partial<TestRecord> = () => ({})): Array<TestRecord> => {
  const below = randomFrom(seed)
  return Array.from({ length: count }, (_, i) => {
    const start = noon + i * 7 + below(5)
    const packets = below(3) === 0 ? 1 + below(2) : 3 + below(2000)
    return {
      exporter: 3,
      family: below(5) === 0 ? (6 as const) : (4 as const),
      source: 0x0a00_0000 + below(500),
      destination: 0x0a01_0000 + below(20),
      sourcePort: 32_768 + below(28_000),
      destinationPort: [443, 53, 5432, 22][below(4)]!,
      protocol: below(4) === 0 ? 17 : 6,
      flags: 0x1b,
      bytes: packets * (60 + below(1400)),
      packets,
      start,
      end: packets === 1 ? start : start + below(50_000),
      sampling: 1,
      direction: DIRECTION_UNKNOWN,
      input: 1,
      output: 2,
      ...change(i)
    }
  })
}
const octetsOf = (records: ReadonlyArray<TestRecord>) => records.reduce((sum, { bytes }) => sum + bytes, 0)

/** Each record once more from other interfaces, some records later and some milliseconds apart. */
const twice = (records: ReadonlyArray<TestRecord>, seed: number, places: Partial<TestRecord> = { input: 3, output: 4 }) => {
  const below = randomFrom(seed + 77)
  return records
    .flatMap((record, i) => [
      { at: i, record },
      {
        at: i + 0.5 + below(40),
        record: { ...record, ...places, start: record.start + below(3), end: record.end + 2 + below(3) }
      }
    ])
    .sort((a, b) => a.at - b.at)
    .map(({ record }) => record)
}

/** Nothing is taken and nothing is lost; held rows may come later than the others. */
const leftAlone = (records: ReadonlyArray<TestRecord>, seed = 1) => {
  const played = making(seed)
  played.play(records)
  const { counted, octets, repeated } = played.end()
  assert.strictEqual(repeated, 0)
  assert.strictEqual(octets, octetsOf(records))
  const batch = toBatch(records)
  assert.deepStrictEqual([...counted].sort(), records.map((_, i) => facts(batch, i)).sort())
}

describe("records that say again", () => {
  it("are counted once, to the octet, from the first one on, whatever the traffic", () => {
    for (const seed of seeds) {
      const flows = flowsOf(seed, 1500)
      const played = making(seed)
      played.play(twice(flows, seed))
      assert.strictEqual(played.repeats.where(3), "interfaces 1 → 2 and again on 3 → 4")
      const { counted, octets, repeated, repeatedOctets } = played.end()
      assert.deepStrictEqual([counted.length, repeated], [flows.length, flows.length])
      assert.deepStrictEqual([octets, repeatedOctets], [octetsOf(flows), octetsOf(flows)])
    }
  })

  it("are counted once where each direction has its own interfaces, a third place says it too, or half of the traffic is said once", () => {
    for (const seed of seeds) {
      const flows = flowsOf(seed, 1500, (i) => (i % 2 === 0 ? {} : { input: 2, output: 1 }))
      const there = flows.filter((_, i) => i % 2 === 0)
      const back = flows.filter((_, i) => i % 2 === 1)
      const played = making(seed)
      played.play([
        ...twice(there, seed).flatMap((one) => (one.input === 3 ? [one, { ...one, input: 5, output: 6 }] : [one])),
        ...twice(back, seed, { input: 4, output: 3 }),
        ...flowsOf(seed + 1000, 500, () => ({ input: 1, output: 9 }))
      ])
      const { counted, repeated } = played.end()
      assert.deepStrictEqual([counted.length, repeated], [flows.length + 500, 2 * there.length + back.length])
    }
  })

  it("are told by the observation domain where the interfaces are the same: line cards that meter the way in and the way out", () => {
    const flows = flowsOf(5, 1000)
    const played = making()
    for (let from = 0; from < flows.length; from += 24) {
      played.play(flows.slice(from, from + 24), 1)
      played.play(flows.slice(from, from + 24), 2)
    }
    assert.strictEqual(
      played.repeats.where(3),
      "interfaces 1 → 2 of observation domain 1 and again on 1 → 2 of observation domain 2"
    )
    assert.strictEqual(played.end().octets, octetsOf(flows))
  })

  it("are known in slices of long flows, too, when two meters cut them at other times", () => {
    const known = flowsOf(6, 600)
    const long = flowsOf(7, 200, (i) => ({ start: noon + i, end: noon + i + 60_000, packets: 4000, bytes: 4_000_000, family: 4 }))
    const played = making()
    played.play(twice(known, 6))
    const shifted = long.map((one) => ({
      ...one,
      input: 3,
      output: 4,
      start: one.start,
      end: one.end + 3000,
      packets: 4200,
      bytes: 4_200_000
    }))
    played.play(long.flatMap((one, i) => [one, shifted[i]!]))
    assert.strictEqual(played.end().octets, octetsOf(known) + octetsOf(long))
  })

  it("that begin later cost some hundred flows, and then none", () => {
    for (const seed of seeds) {
      const before = flowsOf(seed, 6000)
      const flows = flowsOf(seed + 500, 4000)
      const played = making(seed)
      played.play(before)
      played.play(twice(flows, seed))
      const { counted } = played.end()
      assert.isBelow(counted.length - before.length - flows.length, 3000)
    }
    const costs = seeds.map((seed) => {
      const played = making(seed * 31)
      played.play(flowsOf(1, 6000))
      played.play(twice(flowsOf(seed, 4000), seed))
      return played.end().counted.length - 10_000
    })
    assert.isBelow(costs.reduce((sum, one) => sum + one, 0) / costs.length, 800)
  })

  it("that have ended leave an exporter as every other, whose equal halves are not taken any more", () => {
    const flows = flowsOf(8, 1000)
    const after = flowsOf(9, 18_000)
    const played = making()
    played.play(twice(flows, 8))
    played.play(after)
    assert.strictEqual(played.repeats.where(3), "")
    const two = flowsOf(10, 8)
    played.play(two.flatMap((one) => [one, { ...one, input: 3, output: 4 }]))
    assert.strictEqual(played.end().counted.length, flows.length + after.length + 2 * two.length)
  })
})

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

describe("what is held until it is known", () => {
  it("comes back within twenty seconds, also from an exporter that falls silent", () => {
    const flows = flowsOf(1, 5)
    const played = making()
    played.play(flows.flatMap((one) => [one, { ...one, input: 3, output: 4 }]))
    assert.deepStrictEqual([played.soFar(), played.repeats.held()], [{ counted: 5, repeated: 0 }, 5])
    played.wait(19_000)
    assert.strictEqual(played.repeats.held(), 5)
    played.wait(1000)
    assert.deepStrictEqual([played.soFar(), played.repeats.held()], [{ counted: 10, repeated: 0 }, 0])
    // and is evidence all the same
    played.play(flowsOf(2, 400).flatMap((one) => [one, { ...one, input: 3, output: 4 }]))
    assert.strictEqual(played.end().counted.length, 410)
  })

  it("is bounded, as is what is remembered, under a flood of flows that are all different", () => {
    const played = making()
    const below = randomFrom(9)
    const honest = flowsOf(2, 4000)
    let next = 0
    for (let round = 0; round < 100; round++) {
      const flood = Array.from({ length: 2400 }, (_, i) => ({
        ...honest[i % 1000]!,
        exporter: 5,
        family: 4 as const,
        source: below(0x7fff_ffff),
        destination: below(0x7fff_ffff),
        input: below(0x7fff_ffff),
        output: below(0x7fff_ffff)
      }))
      played.play(flood)
      played.play(honest.slice(next, next + 40).flatMap((one) => [one, { ...one, input: 3, output: 4 }]))
      next += 40
      assert.isAtMost(played.repeats.held(), 128)
    }
    assert.isAtMost(played.repeats.bytesHeld(), 9 * 1024 * 1024)
    const { counted, repeated } = played.end()
    assert.deepStrictEqual([counted.length, repeated], [240_000 + 4000, 4000])
  })

  it("is bounded where every record names other interfaces", () => {
    const played = making()
    const flows = flowsOf(3, 12_000)
    played.play(
      flows.flatMap((one, i) => [
        { ...one, input: i * 2 + 1 },
        { ...one, input: i * 2 + 2, output: 9 }
      ])
    )
    assert.isAtMost(played.repeats.held(), 64)
    assert.strictEqual(played.end().counted.length + played.end().repeated, 24_000)
  })
})
