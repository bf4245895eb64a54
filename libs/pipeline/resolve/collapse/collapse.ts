/**
 * The conversations of a slice → edges (edges.ts): client, server, port, protocol, each with its evidence and one owner a direction.
 *
 * 1. Conversations are joined over exporters: their evidence counts together.
 * 2. decide-directions.ts says for each which end serves.
 * 3. Conversations with the same client, server and port are one edge.
 * 4. Rows of one edge are added up by exporter, and duplicate.ts says whose volumes count.
 */
import { ipv4Text, ipv6Text } from "#domain/Address.ts"
import type { PortRanks } from "#domain/PortRank.ts"
import type { WindowSlice } from "#domain/Window.ts"
import { type DeclaredEnds, decideDirections, isSymmetric } from "./decide-directions.ts"
import { makeOwners, type Owners } from "./duplicate.ts"
import type { EvidenceSampler } from "./EvidenceSampler.ts"
import { repeated, waysApart } from "./echoes.ts"
import { addEvidence, makeEdgeSums } from "./edge-sums.ts"
import type { CollapsedSlice, Edge, SliceEdges } from "./edges.ts"
import { finishEdges } from "./finish-edges.ts"
import { makeServiceRegister, type ServiceRegister } from "./ServiceRegister.ts"
import { betterExample, sampleEvidence } from "./sample-evidence.ts"
import { TupleTable } from "./TupleTable.ts"

export interface CollapseOptions {
  readonly ranks: PortRanks
  readonly declared?: DeclaredEnds
  /** Keep one of each over all slices of an appliance. */
  readonly register?: ServiceRegister
  readonly owners?: Owners
  /** Absent: no conversations are kept as evidence. */
  readonly sampler?: EvidenceSampler
}

const isGroupV4 = (value: number): boolean => value >>> 28 === 14 || value === 0xffffffff

export const collapseEdges = (whole: WindowSlice, options: CollapseOptions): SliceEdges => {
  const slice = waysApart(whole)
  const { columns: c, rows } = slice
  const { ranks, sampler } = options
  const declared = options.declared !== undefined && options.declared.size > 0 ? options.declared : undefined

  // Addresses of the slice, numbered; a text is written once.
  const addresses = new TupleTable(rows)
  const values: Array<number> = []
  const texts: Array<string> = []
  const group: Array<boolean> = []
  const addressOf = (family: number, value: number): number => {
    const id = addresses.intern(family, value, 0, 0)
    if (id === texts.length) {
      values.push(value | 0)
      texts.push(family === 4 ? ipv4Text(value) : ipv6Text(slice.ipv6, value * 16))
      group.push(family === 4 ? isGroupV4(value) : slice.ipv6[value * 16] === 0xff)
    }
    return id
  }

  const ends = new Int32Array(rows * 2)
  const conversation = new Int32Array(rows)
  // With one exporter every row is a conversation of its own.
  const alone = slice.exporters.length <= 1
  const conversations = new TupleTable(alone ? 0 : rows)
  for (let row = 0; row < rows; row++) {
    const a = addressOf(c.family[row]!, c.a[row]!)
    const b = addressOf(c.family[row]!, c.b[row]!)
    ends[row * 2] = a
    ends[row * 2 + 1] = b
    if (alone) {
      conversation[row] = row
      continue
    }
    const folded = c.folded[row]!
    const ports = folded === 1 ? c.bPort[row]! : (c.aPort[row]! << 16) | c.bPort[row]!
    conversation[row] = conversations.intern(a, b, ports, (c.protocol[row]! << 1) | folded)
  }

  // Evidence of each conversation over all its rows (one an exporter).
  const count = alone ? rows : conversations.size
  const first = new Int32Array(count).fill(-1)
  const sums = Array.from({ length: 7 }, () => new Float64Array(count))
  const [synAb, synBa, synAckAb, synAckBa, beganA, beganB, aPorts] = sums as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array
  ]
  const flags = new Int32Array(count)
  const steady = new Uint8Array(count).fill(1)
  for (let row = 0; row < rows; row++) {
    const at = conversation[row]!
    if (first[at] === -1) first[at] = row
    else if (c.aPort[first[at]!] !== c.aPort[row]) steady[at] = 0
    synAb[at]! += c.synAb[row]!
    synBa[at]! += c.synBa[row]!
    synAckAb[at]! += c.synAckAb[row]!
    synAckBa[at]! += c.synAckBa[row]!
    beganA[at]! += c.beganA[row]!
    beganB[at]! += c.beganB[row]!
    aPorts[at] = Math.max(aPorts[at]!, c.aPorts[row]!)
    if (c.aPorts[row]! > 0) steady[at] = 0
    flags[at]! |= c.flagsAb[row]! | (c.flagsBa[row]! << 8)
  }

  const owners = options.owners ?? makeOwners()
  const register = options.register ?? makeServiceRegister(1)
  const remembered = [owners.begin(), register.pairs.begin()]
  const decide = decideDirections(slice, {
    columns: c,
    ranks,
    declared,
    register,
    conversations: { count, first, flags, steady, synAb, synBa, synAckAb, synAckBa, beganA, beganB, aPorts },
    ends,
    values,
    texts,
    turned: owners.turn
  })

  // Edges, and what each exporter saw of them.
  const edges = makeEdgeSums(count, rows)
  const { evidence } = edges
  for (let at = 0; at < count; at++) {
    const row = first[at]!
    const a = ends[row * 2]!
    const b = ends[row * 2 + 1]!
    const spoken = flags[at]!
    const decision = decide(at, group[b]! || !group[a], group[a]! || group[b]!)
    const { bServes } = decision
    const edge = edges.of(bServes ? a : b, bServes ? b : a, decision.port, c.protocol[row]!)
    addEvidence(evidence, edge, row, decision.evidence, isSymmetric(c, row))
    evidence.flags[edge]! |= bServes ? spoken : ((spoken & 0xff) << 8) | (spoken >>> 8)
    // The sign says, for the rows below, which way this conversation was turned.
    first[at] = bServes ? edge : ~edge
  }

  for (let row = 0; row < rows; row++) {
    const turned = first[conversation[row]!]!
    const edge = turned >= 0 ? turned : ~turned
    edges.add(edge, turned < 0, c, row)
    const shown = edges.example[edge]!
    if (sampler !== undefined && (shown === -1 || betterExample(c, row, shown, slice.windowStart))) edges.example[edge] = row
  }
  const each: SliceEdges["each"] = (take) => finishEdges(slice, edges, values, texts, group, owners, repeated(whole), take)
  const samples = sampler === undefined ? [] : sampleEvidence(slice, c, edges, ends, values, texts, group, sampler)
  const undo = () => {
    for (const takeBack of remembered) takeBack()
    sampler?.undo()
  }
  return { most: edges.size(), each, samples, undo }
}

/** The same, all at once. */
export const collapseSlice = (slice: WindowSlice, options: CollapseOptions): CollapsedSlice => {
  const { each, most: _, ...rest } = collapseEdges(slice, options)
  const edges: Array<Edge> = []
  const attempts: Array<Edge> = []
  const totals = each((edge) => void (edge.attempt ? attempts : edges).push({ ...edge }))
  return { edges, attempts, ...totals, ...rest }
}
