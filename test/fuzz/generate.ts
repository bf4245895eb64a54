/** Datagrams that are well formed and that no exporter would think of: templates and options of any combination, with data that fits them. */
import type { ExporterProtocol } from "#domain/Exporter.ts"
import {
  dataSet,
  type Field,
  ipfix,
  netflow5,
  netflow9,
  optionsTemplate9,
  optionsTemplate10,
  type Random,
  template9,
  template10,
  withdrawal10
} from "#pipeline/decode/encode.fixture.ts"
import {
  counterSample,
  ethernet,
  expandedFlowSample,
  flowSample,
  ipv4Packet,
  ipv6Packet,
  rawHeader,
  sampleRecord,
  sflow,
  tcp,
  udp
} from "#pipeline/decode/packet.fixture.ts"

/** What the decoder reads, and some that it does not. */
const elements = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 17, 21, 22, 23, 24, 27, 28, 32, 34, 35, 48, 49, 50, 56, 61, 80, 82, 85, 86],
  ...[89, 95, 104, 130, 136, 139, 144, 148, 149, 150, 151, 152, 153, 154, 155, 156, 157, 158, 159, 160, 161, 176, 177, 178, 179],
  ...[210, 225, 226, 231, 232, 233, 234, 239, 281, 298, 299, 302, 304, 305, 306, 307, 308, 309, 310, 313, 314, 315, 352, 371, 40005]
] as const
const scopes = [1, 2, 3, 4, 10, 14, 34, 48, 50, 143, 144, 149, 302] as const
const lengths = [1, 2, 3, 4, 4, 4, 8, 8, 16, 5, 6, 7, 0, 255, 256] as const
const enterprises = [0, 0, 0, 0, 0, 0, 0, 29305, 9, 4294967295] as const
const ids = [256, 256, 257, 258, 259, 300, 65535, 255, 2, 0] as const

const field = (random: Random, ten: boolean): Field => {
  const length = ten && random.below(6) === 0 ? 65535 : random.pick(lengths)
  return [ten ? random.pick(enterprises) : 0, random.below(30) === 0 ? random.below(32768) : random.pick(elements), length]
}

/** Records of those fields, or of nearly those. */
const records = (random: Random, fields: ReadonlyArray<Field>): Uint8Array => {
  const octets: Array<number> = []
  const many = random.below(random.below(10) === 0 ? 200 : 8)
  for (let i = 0; i < many && octets.length < 20_000; i++) {
    for (const [, , length] of fields) {
      let size = length
      if (length === 65535) {
        size = random.below(random.below(8) === 0 ? 400 : 40)
        if (size >= 255 || random.below(5) === 0) octets.push(255, size >> 8, size & 255)
        else octets.push(size)
      }
      const kind = random.below(4)
      for (let k = 0; k < size; k++) octets.push(kind === 0 ? 0 : kind === 1 ? 255 : random.u32() & 255)
    }
  }
  if (random.below(6) === 0) octets.length = Math.max(0, octets.length - random.below(7))
  return Uint8Array.from(octets)
}

const some = <A>(random: Random, most: number, make: () => A): ReadonlyArray<A> =>
  Array.from({ length: random.below(most + 1) }, make)

const withTemplates = (random: Random, ten: boolean): Uint8Array => {
  const sets: Array<Uint8Array> = []
  for (let i = random.below(5); i >= 0; i--) {
    const id = random.pick(ids)
    const fields = some(random, random.below(20) === 0 ? 60 : 9, () => field(random, ten))
    if (random.below(3) === 0) {
      const scope = some(random, 2, (): Field => [0, random.pick(scopes), random.pick(lengths)])
      sets.push(ten ? optionsTemplate10(id, scope, fields) : optionsTemplate9(id, scope, fields))
      if (random.below(4) > 0) sets.push(dataSet(id, records(random, [...scope, ...fields])))
    } else {
      sets.push(ten ? template10(id, fields) : template9(id, fields))
      if (random.below(6) > 0) sets.push(dataSet(id, records(random, fields)))
    }
    if (ten && random.below(12) === 0) sets.push(withdrawal10(random.below(3) === 0 ? 2 : id, random.below(3) === 0))
    if (random.below(8) === 0) sets.push(dataSet(random.pick(ids), random.octets(random.below(120))))
    // data may come before its template
    if (random.below(8) === 0) sets.reverse()
  }
  const header = { sequence: random.u32(), seconds: random.below(5) === 0 ? random.u32() : 1_700_000_000 + random.below(100) }
  return ten
    ? ipfix({ ...header, domain: random.below(4) }, ...sets)
    : netflow9({ ...header, sourceId: random.below(4), uptime: random.u32() }, ...sets)
}

const payload = (random: Random, depth: number): Uint8Array => {
  const ports = [80, 53, 4789, 6081, 8472, 2152, random.below(65536)] as const
  switch (random.below(depth > 4 ? 3 : 7)) {
    case 0:
      return tcp(random.below(65536), random.pick(ports), random.below(256))
    case 1:
      return random.octets(random.below(60))
    case 2:
      return Uint8Array.of(8, 0, ...random.octets(6))
    case 3:
      // VXLAN, Geneve or GTP, or something that says it is
      return Uint8Array.of(
        ...udp(9, random.pick(ports)),
        ...random.pick([
          [8, 0, 0, 0],
          [0, 0, 0x65, 0x58],
          [0x30, 255, 0, 40]
        ]),
        0,
        0,
        1,
        0,
        ...frame(random, depth + 1)
      )
    case 4:
      return Uint8Array.of(
        ...random.pick([
          [0x20, 0],
          [0, 0],
          [0xb0, 0]
        ]),
        ...random.pick([
          [8, 0],
          [0x65, 0x58],
          [0x88, 0xbe]
        ]),
        ...random.octets(4),
        ...frame(random, depth + 1)
      )
    case 5:
      return packet(random, depth + 1)
    default:
      // extension headers, some without an end
      return Uint8Array.of(random.pick([0, 43, 44, 60, 6, 17]), random.below(4), ...random.octets(6), ...payload(random, depth + 1))
  }
}

const packet = (random: Random, depth: number): Uint8Array => {
  const inside = payload(random, depth)
  const protocol = random.pick([6, 17, 1, 58, 47, 4, 41, 50, 132, 0, 43, 44, 60] as const)
  return random.below(3) === 0
    ? ipv6Packet(random.octets(16), random.octets(16), protocol, inside)
    : ipv4Packet(
        random.u32(),
        random.u32(),
        {
          protocol,
          options: random.below(8) === 0 ? random.below(11) : 0,
          fragmentOffset: random.below(8) === 0 ? random.below(65536) : 0
        },
        inside
      )
}

const frame = (random: Random, depth = 0): Uint8Array => {
  const type = random.pick([0x0800, 0x86dd, 0x0806, 0x8847, 0x8864, 0x88a8, 0x6558, 0x05dc] as const)
  const vlans = some(random, random.below(10) === 0 ? 12 : 2, () => random.below(4096))
  return ethernet(random.below(4) === 0 ? type : 0x0800, packet(random, depth), ...vlans)
}

const samples = (random: Random): Uint8Array => {
  const record = (): Uint8Array =>
    random.below(3) > 0
      ? rawHeader(
          frame(random).subarray(0, random.below(260)),
          random.below(random.below(5) === 0 ? 2 ** 31 : 1600),
          random.pick([1, 1, 1, 11, 12, 13, 5])
        )
      : sampleRecord(random.pick([1, 2, 3, 4, 1001, 1002, 1003, 1036, 0xfffff001]), random.octets(4 * random.below(30)))
  const sample = (): Uint8Array => {
    const port = () => random.pick([random.u32(), random.below(64)])
    const format = () => random.pick([0, 0, random.below(4)])
    const said = {
      rate: random.below(3) === 0 ? random.u32() : 1 + random.below(1000),
      input: port(),
      output: port(),
      inputFormat: format(),
      outputFormat: format()
    }
    switch (random.below(6)) {
      case 0:
        return counterSample(
          random.below(2) === 0,
          ...some(random, 3, () => sampleRecord(random.pick([1, 2, 1001]), random.octets(88)))
        )
      case 1:
      case 2:
        return expandedFlowSample(said, ...some(random, 3, record))
      default:
        return flowSample(said, ...some(random, 3, record))
    }
  }
  return sflow({ subAgent: random.below(3), sequence: random.u32(), uptime: random.u32() }, ...some(random, 6, sample))
}

const version5 = (random: Random): Uint8Array => {
  const record = () => ({
    source: random.u32(),
    destination: random.u32(),
    input: random.below(65536),
    output: random.below(65536),
    packets: random.below(4) === 0 ? random.u32() : random.below(1000),
    octets: random.u32(),
    first: random.u32(),
    last: random.u32(),
    sourcePort: random.below(65536),
    destinationPort: random.below(65536),
    tcpFlags: random.below(256),
    protocol: random.pick([6, 17, 1, 0, 255])
  })
  return netflow5(
    {
      sequence: random.u32(),
      uptime: random.u32(),
      seconds: random.below(5) === 0 ? random.u32() : 1_700_000_000,
      sampling: random.below(65536),
      engine: random.below(65536)
    },
    Array.from({ length: random.below(31) }, record)
  )
}

export const generate = (random: Random, protocol: ExporterProtocol): Uint8Array => {
  switch (protocol) {
    case "netflow5":
      return version5(random)
    case "netflow9":
      return withTemplates(random, false)
    case "ipfix":
      return withTemplates(random, true)
    case "sflow5":
      return samples(random)
  }
}
