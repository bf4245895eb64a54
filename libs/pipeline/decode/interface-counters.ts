/** sFlow counter samples: generic interface counters (sFlow v5 §5.3, format 1); other blocks are skipped. */
import { complain, type Reading } from "./Reading.ts"

/** Reused: copy what is to be kept. Counters are as the agent has them; unknown ones are all ones on the wire and -1 here. */
export interface InterfaceCounters {
  exporterIndex: number
  exporterAddress: string
  /** sFlow agent's address and sub-agent, which name the switch whatever address the datagram came from. */
  agent: string
  subAgent: number
  arrivalMs: number
  ifIndex: number
  ifType: number
  /** Bits per second. */
  ifSpeed: number
  /** 0 unknown, 1 full duplex, 2 half duplex, 3 in, 4 out. */
  ifDirection: number
  /** Bit 0 admin up, bit 1 operational up. */
  ifStatus: number
  inOctets: number
  inUnicast: number
  inMulticast: number
  inBroadcast: number
  inDiscards: number
  inErrors: number
  inUnknownProtocols: number
  outOctets: number
  outUnicast: number
  outMulticast: number
  outBroadcast: number
  outDiscards: number
  outErrors: number
  promiscuous: number
}

const LENGTH = 88

/** Counter record of enterprise 0. */
const GENERIC_INTERFACE = 1

const makeInterfaceCounters = (): InterfaceCounters => ({
  exporterIndex: 0,
  exporterAddress: "",
  agent: "",
  subAgent: 0,
  arrivalMs: 0,
  ifIndex: 0,
  ifType: 0,
  ifSpeed: 0,
  ifDirection: 0,
  ifStatus: 0,
  inOctets: 0,
  inUnicast: 0,
  inMulticast: 0,
  inBroadcast: 0,
  inDiscards: 0,
  inErrors: 0,
  inUnknownProtocols: 0,
  outOctets: 0,
  outUnicast: 0,
  outMulticast: 0,
  outBroadcast: 0,
  outDiscards: 0,
  outErrors: 0,
  promiscuous: 0
})

/** sFlow v5 §5: a counter the agent does not keep is sent as the largest value. */
const u32 = (view: DataView, at: number): number => {
  const value = view.getUint32(at)
  return value === 0xffffffff ? -1 : value
}
const u64 = (view: DataView, at: number): number => {
  const high = view.getUint32(at)
  const low = view.getUint32(at + 4)
  return high === 0xffffffff && low === 0xffffffff ? -1 : high * 4294967296 + low
}

/** The caller has checked that 88 octets are there. */
const readInterfaceCounters = (view: DataView, at: number, counters: InterfaceCounters): void => {
  counters.ifIndex = view.getUint32(at)
  counters.ifType = view.getUint32(at + 4)
  counters.ifSpeed = view.getUint32(at + 8) * 4294967296 + view.getUint32(at + 12)
  counters.ifDirection = view.getUint32(at + 16)
  counters.ifStatus = view.getUint32(at + 20)
  counters.inOctets = u64(view, at + 24)
  counters.inUnicast = u32(view, at + 32)
  counters.inMulticast = u32(view, at + 36)
  counters.inBroadcast = u32(view, at + 40)
  counters.inDiscards = u32(view, at + 44)
  counters.inErrors = u32(view, at + 48)
  counters.inUnknownProtocols = u32(view, at + 52)
  counters.outOctets = u64(view, at + 56)
  counters.outUnicast = u32(view, at + 64)
  counters.outMulticast = u32(view, at + 68)
  counters.outBroadcast = u32(view, at + 72)
  counters.outDiscards = u32(view, at + 76)
  counters.outErrors = u32(view, at + 80)
  counters.promiscuous = view.getUint32(at + 84)
}

/** Reads the counter records between `at` (their number) and `end`. */
export const makeCounterReader = (
  reading: Reading,
  onInterfaceCounters: (counters: InterfaceCounters) => void
): ((at: number, end: number) => void) => {
  const { outcome, view } = reading
  const counters = makeInterfaceCounters()
  return (at, end) => {
    if (end - at < 4) {
      complain(outcome, "sample-truncated")
      return
    }
    const records = view.getUint32(at)
    at += 4
    for (let i = 0; i < records; i++) {
      const length = end - at < 8 ? Number.POSITIVE_INFINITY : view.getUint32(at + 4)
      if (length > end - at - 8) {
        complain(outcome, "sample-truncated")
        return
      }
      if (view.getUint32(at) === GENERIC_INTERFACE && length >= LENGTH) {
        counters.exporterIndex = reading.exporterIndex
        counters.exporterAddress = reading.exporterAddress
        counters.agent = outcome.agent
        counters.subAgent = outcome.observationDomain
        counters.arrivalMs = reading.arrivalMs
        readInterfaceCounters(view, at + 8, counters)
        onInterfaceCounters(counters)
      }
      at += 8 + length
    }
  }
}
