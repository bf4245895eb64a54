/**
 * Which end of each conversation serves (direction.ts), by what the slice shows and what is remembered of its ends.
 *
 * 1. Each end that has an exact port is a candidate server: its peers and their changing ports are counted over the slice.
 * 2. A conversation that tells without history proves its server; the register remembers it. A SYN in one conversation so decides
 *    others of the same slice that began before anybody looked, in whatever order they came.
 * 3. Each conversation is decided with all of it. Folded rows may be turned round too, as long as the folded port was one.
 * 4. Where both ends use one port, what earlier slices saw of the pair counts as well (SymmetricPairs.ts).
 */
import { directionOdds, type Evidence, mostHistory, noEvidence, portRankEvidence, provenOdds } from "#domain/direction.ts"
import { type PortRanks, portClass, portRank, RANK_HIGH_SERVICE, RANK_SERVICE } from "#domain/PortRank.ts"
import type { ConversationColumns, WindowSlice } from "#domain/Window.ts"
import { type AddressKey, addressKey } from "./address-key.ts"
import { isAttempt } from "./attempt.ts"
import { companions, isControl, isData } from "./companions.ts"
import type { ServiceRegister } from "./ServiceRegister.ts"
import { isClear, isUpper } from "./SymmetricPairs.ts"
import { TupleTable } from "./TupleTable.ts"

/** What operators said of ends. */
export interface DeclaredEnds {
  readonly size: number
  /** 1: it serves; -1: it never does; 0: nobody said. Port 0: a port that is not known. */
  readonly word: (address: string, protocol: number, port: number) => -1 | 0 | 1
}

/** Conversations over all exporters: a row of each, and its evidence. */
export interface Conversations {
  readonly count: number
  readonly first: Int32Array
  /** a→b in bits 0–7, b→a in bits 8–15. */
  readonly flags: Int32Array
  /** 1: end `a` used one port only. */
  readonly steady: Uint8Array
  readonly synAb: Float64Array
  readonly synBa: Float64Array
  readonly synAckAb: Float64Array
  readonly synAckBa: Float64Array
  readonly beganA: Float64Array
  readonly beganB: Float64Array
  readonly aPorts: Float64Array
}

export interface DecideOptions {
  readonly columns: ConversationColumns
  readonly ranks: PortRanks
  readonly declared: DeclaredEnds | undefined
  readonly register: ServiceRegister
  readonly conversations: Conversations
  /** Two addresses a row, numbered; their values and texts by number. */
  readonly ends: Int32Array
  readonly values: ReadonlyArray<number>
  readonly texts: ReadonlyArray<string>
  /** A conversation that was drawn from `server` to `client` is drawn from `client` to `server` from now on. `tail`: `port << 8 | protocol`. */
  readonly turned: (client: AddressKey, server: AddressKey, tail: number) => void
}

/** Both ends use the same port. */
export const isSymmetric = (c: ConversationColumns, row: number): boolean => c.folded[row] === 0 && c.aPort[row] === c.bPort[row]

/** Good until the next one. */
export interface Decision {
  bServes: boolean
  /** That is drawn: the server's, or its service's for a second connection. */
  port: number
  /** Of the end that serves. */
  readonly evidence: Evidence
}

type Mutable = { -readonly [K in keyof Evidence]: Evidence[K] }

const blank = (): Mutable => ({ ...noEvidence })

/** Turns the evidence for one end into that for the other; the marks are set by who decides. */
const turn = (e: Mutable): void => {
  ;[e.synForward, e.synReverse] = [e.synReverse, e.synForward]
  ;[e.synAckForward, e.synAckReverse] = [e.synAckReverse, e.synAckForward]
  ;[e.beganForward, e.beganReverse] = [e.beganReverse, e.beganForward]
  ;[e.fanIn, e.fanInAgainst] = [e.fanInAgainst, e.fanIn]
  e.portRank = 0 - e.portRank
  e.clientPorts = 0 - e.clientPorts
  e.history = 0 - e.history
}

/** Decides conversation `at`. `otherwise`: whether `b` serves where no port tells; `grouped`: an end is a group, and nothing is to tell. */
export type Decide = (at: number, otherwise: boolean, grouped: boolean) => Decision

export const decideDirections = (slice: WindowSlice, options: DecideOptions): Decide => {
  const { columns: c, conversations, declared, ends, ranks, register, texts, values } = options
  const { count, first, flags, steady, synAb, synBa, synAckAb, synAckBa, beganA, beganB, aPorts } = conversations
  const { windowStart } = slice
  register.begin()
  const names: Array<AddressKey | undefined> = []
  const nameOf = (address: number, family: number): AddressKey =>
    (names[address] ??= addressKey(family, values[address]!, texts[address]!))

  // Candidate servers and who speaks with them. What nobody answered says nothing about who serves.
  const endpoints = new TupleTable(count)
  const pairs = new TupleTable()
  const firstMeeting = (endpoint: number, peer: number): boolean => {
    const before = pairs.size
    return pairs.intern(endpoint, peer, 0, 0) === before
  }
  const rankOf = (row: number) => portRankEvidence(ranks, c.protocol[row]!, c.aPort[row]!, c.bPort[row]!)
  const peers = new Int32Array(count * 2)
  const portChanges = new Float64Array(count * 2)
  const endpointB = new Int32Array(count).fill(-1)
  const endpointA = new Int32Array(count).fill(-1)
  const answered = new Uint8Array(count)
  for (let at = 0; at < count; at++) {
    const row = first[at]!
    const protocol = c.protocol[row]!
    if (portClass(protocol) === 0) continue
    const a = ends[row * 2]!
    const b = ends[row * 2 + 1]!
    const folded = c.folded[row] === 1
    const there = flags[at]! & 0xff
    const back = flags[at]! >>> 8
    const eb = endpoints.intern(b, c.bPort[row]!, protocol, 0)
    const ea = steady[at] === 0 ? -1 : endpoints.intern(a, c.aPort[row]!, protocol, 0)
    endpointB[at] = eb
    endpointA[at] = ea
    if (isAttempt(protocol, there, back) || isAttempt(protocol, back, there)) continue
    answered[at] = 1
    if (isControl(protocol, c.bPort[row]!)) {
      const family = c.family[row]!
      register.relate(nameOf(a, family), nameOf(b, family), c.bPort[row]!, windowStart)
    }
    // A folded row is all of a pair; exact ports make a row for each connection of it.
    if (folded || firstMeeting(eb, a)) {
      peers[eb]! += 1
      portChanges[eb]! += aPorts[at]!
    } else {
      portChanges[eb]! += 1
    }
    if (ea === -1) continue
    if (firstMeeting(ea, b)) peers[ea]! += 1
    else if (!folded) portChanges[ea]! += 1
  }

  // Their places in the register: -2 not asked yet, -1 unknown there.
  const places = new Int32Array(endpoints.size).fill(-2)
  const placeOf = (endpoint: number, address: number, row: number, port: number, keep: boolean): number => {
    let place = places[endpoint]!
    if (place >= 0 || (place === -1 && !keep)) return place
    const name = nameOf(address, c.family[row]!)
    place = keep ? register.place(name, c.protocol[row]!, port) : register.find(name, c.protocol[row]!, port)
    places[endpoint] = place
    return place
  }
  /** A client's port of one connection is not worth remembering; a port with several peers may be a server's. */
  const worth = (row: number, endpoint: number) => c.folded[row] === 0 || peers[endpoint]! > 1
  for (let at = 0; at < count; at++) {
    if (answered[at] === 0) continue
    const row = first[at]!
    const a = ends[row * 2]!
    const b = ends[row * 2 + 1]!
    const family = c.family[row]!
    register.meet(placeOf(endpointB[at]!, b, row, c.bPort[row]!, true), nameOf(a, family))
    const ea = endpointA[at]!
    if (ea === -1) continue
    const place = placeOf(ea, a, row, c.aPort[row]!, worth(row, ea))
    if (place >= 0) register.meet(place, nameOf(b, family))
  }
  const fanIn = (endpoint: number): number => {
    const place = places[endpoint]!
    return place < 0 ? peers[endpoint]! : Math.max(peers[endpoint]!, register.fanIn(place))
  }
  const served = (endpoint: number): number => (endpoint === -1 || places[endpoint]! < 0 ? 0 : register.served(places[endpoint]!))

  const forB = blank()
  /** Evidence that `b` serves, but for history and what is declared. */
  const gather = (at: number): void => {
    const row = first[at]!
    const eb = endpointB[at]!
    const ea = endpointA[at]!
    forB.synForward = synAb[at]!
    forB.synReverse = synBa[at]!
    forB.synAckForward = synAckBa[at]!
    forB.synAckReverse = synAckAb[at]!
    forB.beganForward = beganA[at]!
    forB.beganReverse = beganB[at]!
    forB.portRank = rankOf(row)
    forB.fanIn = fanIn(eb)
    forB.fanInAgainst = ea === -1 ? 0 : fanIn(ea)
    forB.clientPorts = portChanges[eb]! - (ea === -1 ? 0 : portChanges[ea]!)
    forB.history = 0
    forB.companion = false
    forB.declared = false
  }

  // What tells without history is history for the rest; a port's name tells every time, and is none. Who began between equal ports is
  // remembered of the pair, not of its ends.
  for (let at = 0; at < count; at++) {
    if (answered[at] === 0 || (isSymmetric(c, first[at]!) && synAb[at] === synBa[at])) continue
    gather(at)
    forB.portRank = 0
    const odds = directionOdds(forB)
    if (odds >= provenOdds) register.serve(places[endpointB[at]!]!, windowStart)
    else if (odds <= -provenOdds && endpointA[at] !== -1) {
      const row = first[at]!
      register.serve(placeOf(endpointA[at]!, ends[row * 2]!, row, c.aPort[row]!, true), windowStart)
    }
  }

  const wordOf = (address: number, protocol: number, port: number): number => declared?.word(texts[address]!, protocol, port) ?? 0

  /** Port to draw a second connection of `client` with, if it is one that goes to `server`; -1 else. */
  const companionPort = (
    row: number,
    client: number,
    server: number,
    clientPort: number,
    port: number,
    endpoint: number
  ): number => {
    const protocol = c.protocol[row]!
    const family = c.family[row]!
    for (const one of companions) {
      if (one.protocol !== protocol || (port !== one.data && port < one.from) || port === one.control) continue
      if (port !== one.data && portRank(ranks, protocol, port) >= RANK_HIGH_SERVICE) continue
      if (portRank(ranks, protocol, clientPort) >= RANK_SERVICE) continue
      if (!isData(protocol, port) && !register.related(nameOf(client, family), nameOf(server, family), one.control, windowStart))
        continue
      // a port that serves others as well is a service of its own
      if (one.data !== -1 && port !== one.data && endpoint !== -1 && fanIn(endpoint) > 1) continue
      return one.data === -1 ? port : one.data
    }
    return -1
  }

  /** Whether `b` serves, where both ends use one port. */
  const decidePair = (at: number): boolean => {
    const row = first[at]!
    const family = c.family[row]!
    const a = nameOf(ends[row * 2]!, family)
    const b = nameOf(ends[row * 2 + 1]!, family)
    const tail = (c.bPort[row]! << 8) | c.protocol[row]!
    const bIsUpper = isUpper(b, a)
    const inOrder = (ofA: number, ofB: number) => (bIsUpper ? ([ofA, ofB] as const) : ([ofB, ofA] as const))
    const place = register.pairs.place(bIsUpper ? a : b, bIsUpper ? b : a, tail)
    const { began, syn } = register.pairs.add(place, {
      syn: inOrder(synAb[at]!, synBa[at]!),
      began: inOrder(beganA[at]!, beganB[at]!)
    })
    const [synForward, synReverse] = inOrder(...syn)
    const [beganForward, beganReverse] = inOrder(...began)
    const all = { ...forB, synForward, synReverse, beganForward, beganReverse }
    const odds = directionOdds(all) || (tie(c, row, bIsUpper) ? Number.MIN_VALUE : -Number.MIN_VALUE)
    const clear = isClear(...began) ? odds : directionOdds({ ...all, beganForward: 0, beganReverse: 0 })
    const sign = bIsUpper ? 1 : -1
    const { turned, upperServes } = register.pairs.decide(place, sign * odds, sign * clear)
    const bServes = upperServes === bIsUpper
    if (turned) options.turned(bServes ? a : b, bServes ? b : a, tail)
    return bServes
  }

  const decision: Decision = { bServes: true, port: 0, evidence: forB }
  const none = blank()
  const undecided: Decision = { bServes: true, port: 0, evidence: none }

  return (at, otherwise, grouped) => {
    const row = first[at]!
    const eb = endpointB[at]!
    const aPort = c.aPort[row]!
    const bPort = c.bPort[row]!
    const a = ends[row * 2]!
    const b = ends[row * 2 + 1]!
    if (eb === -1) {
      // IPv6 addresses are in another order in every slice
      const family = c.family[row]!
      undecided.bServes = grouped || family === 4 ? otherwise : isUpper(nameOf(b, family), nameOf(a, family))
      undecided.port = undecided.bServes ? bPort : aPort
      return undecided
    }
    const protocol = c.protocol[row]!
    const ea = endpointA[at]!
    gather(at)
    forB.history = Math.max(-mostHistory, Math.min(mostHistory, served(eb) - served(ea)))
    decision.bServes = otherwise
    decision.port = -1
    const word = wordOf(b, protocol, bPort) - wordOf(a, protocol, ea === -1 ? 0 : aPort)
    let companion = false
    if (!grouped) {
      // Nothing speaks for either end: who sends datagrams that nobody answers is the client, else the lower port serves; a guess, and
      // its margin says so. A port that was folded away cannot serve unless a SYN says so.
      const odds = directionOdds(forB)
      decision.bServes = isSymmetric(c, row)
        ? decidePair(at)
        : odds > 0 || (odds === 0 && tie(c, row, bPort < aPort)) || (ea === -1 && odds > -2)
      if (word !== 0) decision.bServes = word > 0
      else if (isData(protocol, bPort) || (register.relations() > 0 && portRank(ranks, protocol, bPort) < RANK_SERVICE)) {
        const toB = companionPort(row, a, b, aPort, bPort, eb)
        const toA = companionPort(row, b, a, bPort, aPort, ea)
        if ((toA === -1) !== (toB === -1) && (toA === -1 || ea !== -1 || toA !== aPort)) {
          companion = true
          decision.bServes = toB !== -1
          decision.port = toB === -1 ? toA : toB
        }
      }
    }
    if (!decision.bServes) turn(forB)
    forB.companion = companion
    forB.declared = word !== 0 && decision.bServes === word > 0
    if (decision.port === -1) decision.port = decision.bServes ? bPort : aPort
    return decision
  }
}

/** Whether `b` serves where no evidence tells; `bLooksIt`: where nobody's silence does either. */
const tie = (c: ConversationColumns, row: number, bLooksIt: boolean): boolean => {
  // A window may hold volume of a record that is counted in a later one.
  const [ab, ba] = c.recordsAb[row]! + c.recordsBa[row]! > 0 ? [c.recordsAb, c.recordsBa] : [c.packetsAb, c.packetsBa]
  const there = ab[row]! > 0
  const back = ba[row]! > 0
  return c.protocol[row] !== 6 && there !== back ? there : bLooksIt
}
