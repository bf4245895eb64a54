/** Datagrams that nobody should send. Seeded, so that what broke something can be sent again. */

export interface Seeded {
  /** 0 ≤ n < below. */
  readonly below: (limit: number) => number
  readonly bytes: (length: number) => Uint8Array
}

/** xorshift32: quick, and good enough for noise. */
export const seeded = (seed: number): Seeded => {
  let state = seed | 0 || 1
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  return {
    below: (limit) => next() % limit,
    bytes: (length) => {
      const bytes = new Uint8Array(length)
      for (let i = 0; i < length; i++) bytes[i] = next()
      return bytes
    }
  }
}

interface Field {
  readonly type: number
  readonly length: number
}

const netflow9 = (
  random: Seeded,
  sets: ReadonlyArray<Uint8Array>,
  length = 20 + sets.reduce((sum, one) => sum + one.length, 0)
) => {
  const bytes = new Uint8Array(Math.min(length, 65_507))
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 9)
  view.setUint16(2, sets.length)
  view.setUint32(4, 3_600_000)
  view.setUint32(8, Math.floor(Date.now() / 1000))
  view.setUint32(12, random.below(0xffff_ffff))
  view.setUint32(16, random.below(0xffff))
  let at = 20
  for (const set of sets) {
    bytes.set(set.subarray(0, Math.max(0, bytes.length - at)), Math.min(at, bytes.length))
    at += set.length
  }
  return bytes
}

const ipfix = (random: Seeded, sets: ReadonlyArray<Uint8Array>) => {
  const bytes = new Uint8Array(16 + sets.reduce((sum, one) => sum + one.length, 0))
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 10)
  view.setUint16(2, bytes.length)
  view.setUint32(4, Math.floor(Date.now() / 1000))
  view.setUint32(8, random.below(0xffff_ffff))
  view.setUint32(12, random.below(0xffff))
  let at = 16
  for (const set of sets) {
    bytes.set(set, at)
    at += set.length
  }
  return bytes
}

const set = (id: number, body: Uint8Array, length = 4 + body.length) => {
  const bytes = new Uint8Array(4 + body.length)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, id)
  view.setUint16(2, length)
  bytes.set(body, 4)
  return bytes
}

const template = (id: number, fields: ReadonlyArray<Field>, count = fields.length) => {
  const body = new Uint8Array(4 + fields.length * 4)
  const view = new DataView(body.buffer)
  view.setUint16(0, id)
  view.setUint16(2, count)
  fields.forEach(({ type, length }, i) => {
    view.setUint16(4 + i * 4, type)
    view.setUint16(6 + i * 4, length)
  })
  return body
}

/** sFlow says who it is inside: an agent for every datagram is an exporter for every datagram. */
const forgedAgent = (valid: Uint8Array, random: Seeded) => {
  const bytes = valid.slice()
  bytes.set(random.bytes(4), 8)
  return bytes
}

/** What is sent, by name; `valid` are datagrams of all protocols to start from. */
export const hostileKinds = (valid: ReadonlyArray<Uint8Array>, random: Seeded): Record<string, () => Uint8Array> => {
  const some = () => valid[random.below(valid.length)]!
  const sflow = valid.filter((one) => one[0] === 0 && one[3] === 5)
  const someFields = (count: number) =>
    Array.from({ length: count }, () => ({ type: 1 + random.below(400), length: 1 + random.below(8) }))
  return {
    noise: () => random.bytes(random.below(1400)),
    // a version that is believed, and nothing after it that should be
    "noise with a version": () => {
      const bytes = random.bytes(8 + random.below(1400))
      bytes.set(
        [
          [0, 5],
          [0, 9],
          [0, 10],
          [0, 0]
        ][random.below(4)]!
      )
      if (bytes[1] === 0) bytes.set([0, 5], 2)
      return bytes
    },
    truncated: () => some().subarray(0, random.below(some().length)),
    mutated: () => {
      const bytes = some().slice()
      for (let i = 0; i < 1 + random.below(12); i++) bytes[random.below(bytes.length)] = random.below(256)
      return bytes
    },
    "forged agents": () => forgedAgent(sflow[random.below(sflow.length)]!, random),
    "records that are not there": () => {
      const bytes = valid.find((one) => one[0] === 0 && one[1] === 5)!.slice()
      bytes.set([1, random.below(256)], 2)
      return bytes
    },
    "template flood": () => netflow9(random, [set(0, template(256 + random.below(65_000), someFields(1 + random.below(40))))]),
    "ipfix template flood": () => ipfix(random, [set(2, template(256 + random.below(65_000), someFields(1 + random.below(40))))]),
    "templates that lie": () =>
      netflow9(random, [
        set(0, template(random.below(300), someFields(3), 60_000)),
        set(0, template(256, [{ type: 1, length: 0 }])),
        set(0, template(17, someFields(2)))
      ]),
    "options flood": () => {
      const body = new Uint8Array(6 + 8)
      const view = new DataView(body.buffer)
      view.setUint16(0, 256 + random.below(65_000))
      view.setUint16(2, random.below(3) === 0 ? 60_000 : 4)
      view.setUint16(4, 4)
      view.setUint16(6, 1)
      view.setUint16(8, 4)
      view.setUint16(10, 34)
      view.setUint16(12, 4)
      return netflow9(random, [set(1, body)])
    },
    "data without a template": () => ipfix(random, [set(400 + random.below(1000), random.bytes(600))]),
    "empty sets": () =>
      netflow9(
        random,
        Array.from({ length: 300 }, () => set(256, new Uint8Array(0), random.below(2) * 4))
      ),
    "sets past the end": () => ipfix(random, [set(2, random.bytes(20), 0xffff), set(300, random.bytes(30), 5)]),
    "64 KiB": () =>
      random.below(20) === 0 ? netflow9(random, [set(0, random.bytes(60))], 65_507) : netflow9(random, [set(300, random.bytes(4))]),
    empty: () => new Uint8Array(0)
  }
}
