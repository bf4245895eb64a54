/**
 * Places for what the scene draws. Known nodes keep theirs; new ones start beside their neighbours and settle by forces that are a
 * function of the graph and a seed, so the same data gives the same picture. Who serves is drawn below who needs it, where cycles
 * allow. Pure: runs in layout-worker.ts, stops by itself.
 */

export interface LayoutNode {
  readonly id: string
  /** Half width and half height of node and label, px. */
  readonly halfWidth: number
  readonly halfHeight: number
  /** Its remembered place: it is not moved. */
  readonly at?: Place | undefined
  /** Where it comes from when it has no place: an opened group's, or a member's. */
  readonly near?: Place | undefined
  /** Nodes of one cluster (an opened group's members) stay together. */
  readonly cluster?: string | undefined
}

export interface LayoutEdge {
  /** Indices into the nodes: who needs, who serves. */
  readonly from: number
  readonly to: number
  /** 1 to 4. */
  readonly weight: number
}

export interface Place {
  readonly x: number
  readonly y: number
}

export interface LayoutRequest {
  readonly nodes: ReadonlyArray<LayoutNode>
  readonly edges: ReadonlyArray<LayoutEdge>
  readonly seed: number
  /** Stops early after so many ms; the answer says so. */
  readonly capMs: number
}

export interface LayoutAnswer {
  readonly places: ReadonlyArray<Place>
  readonly ms: number
  /** The time ran out before it settled: on another machine the picture may differ. */
  readonly capped: boolean
}

const gap = 14
/** Wanted drop from client to server, px. */
const drop = 110
/** Rest length of a line, px: few nodes take the room there is. */
const springFor = (nodes: number): number => 150 + 110 * Math.exp(-nodes / 30)

const mulberry = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

/** FNV-1a of an id: a node's start depends on its name, not on its position in the list. */
export const hashOf = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** Fewer rounds for more nodes: about the same work from 100 nodes on. */
const roundsFor = (moving: number): number => Math.max(60, Math.min(400, Math.round(60_000 / Math.max(1, moving))))

export const layout = (request: LayoutRequest, clock: () => number = () => performance.now()): LayoutAnswer => {
  const began = clock()
  const { edges, nodes } = request
  const n = nodes.length
  const x = new Float64Array(n)
  const y = new Float64Array(n)
  const fixed = new Uint8Array(n)
  const neighbours: Array<Array<number>> = nodes.map(() => [])
  for (const { from, to } of edges) {
    neighbours[from]!.push(to)
    neighbours[to]!.push(from)
  }
  const spread = Math.sqrt(n) * 90
  for (let i = 0; i < n; i++) {
    const node = nodes[i]!
    const random = mulberry(request.seed ^ hashOf(node.id))
    if (node.at !== undefined) {
      x[i] = node.at.x
      y[i] = node.at.y
      fixed[i] = 1
      continue
    }
    const known = neighbours[i]!.map((j) => nodes[j]!.at).filter((at) => at !== undefined)
    const angle = random() * 2 * Math.PI
    if (node.near !== undefined || known.length > 0) {
      const base = node.near ?? {
        x: known.reduce((s, p) => s + p.x, 0) / known.length,
        y: known.reduce((s, p) => s + p.y, 0) / known.length
      }
      const away = 40 + random() * 60
      x[i] = base.x + Math.cos(angle) * away
      y[i] = base.y + Math.sin(angle) * away
    } else {
      const away = Math.sqrt(random()) * spread
      x[i] = Math.cos(angle) * away
      y[i] = Math.sin(angle) * away
    }
  }
  const moving = nodes.flatMap((_, i) => (fixed[i] === 1 ? [] : [i]))
  let capped = false
  if (moving.length > 0) {
    capped = relax(request, x, y, moving, () => clock() - began > request.capMs)
    if (moving.length === n) recentre(x, y, n)
    separate(nodes, x, y, fixed, moving)
  }
  return { places: nodes.map((_, i) => ({ x: Math.round(x[i]!), y: Math.round(y[i]!) })), ms: clock() - began, capped }
}

/** Repulsion between all, springs along lines, a pull to the centre, and a drop from client to server; cooling to a stop. */
const relax = (
  { edges, nodes }: LayoutRequest,
  x: Float64Array,
  y: Float64Array,
  moving: ReadonlyArray<number>,
  late: () => boolean
): boolean => {
  const n = nodes.length
  const fx = new Float64Array(n)
  const fy = new Float64Array(n)
  const degree = new Float64Array(n)
  for (const { from, to } of edges) {
    degree[from]!++
    degree[to]!++
  }
  const clusters = new Map<string, Array<number>>()
  for (let i = 0; i < n; i++) {
    const { cluster } = nodes[i]!
    if (cluster === undefined) continue
    const members = clusters.get(cluster)
    if (members === undefined) clusters.set(cluster, [i])
    else members.push(i)
  }
  const rounds = roundsFor(moving.length)
  const whole = moving.length === n
  const spring = springFor(n)
  const repulsion = spring * 180
  let heat = whole ? 120 : 60
  const cooling = (2 / heat) ** (1 / rounds)
  for (let round = 0; round < rounds; round++) {
    if ((round & 7) === 7 && late()) return true
    fx.fill(0)
    fy.fill(0)
    for (const i of moving) {
      const xi = x[i]!
      const yi = y[i]!
      let sx = 0
      let sy = 0
      for (let j = 0; j < n; j++) {
        if (j === i) continue
        const dx = xi - x[j]!
        const dy = yi - y[j]!
        const d2 = dx * dx + dy * dy + 25
        if (d2 > 1_000_000) continue
        const push = repulsion / d2
        const d = Math.sqrt(d2)
        sx += (dx / d) * push
        sy += (dy / d) * push
      }
      // a picture wider than high: screens are
      fx[i]! += sx - (whole ? xi * 0.008 : 0)
      fy[i]! += sy - (whole ? yi * 0.022 : 0)
    }
    for (let e = 0; e < edges.length; e++) {
      const { from, to, weight } = edges[e]!
      const dx = x[to]! - x[from]!
      const dy = y[to]! - y[from]!
      const d = Math.hypot(dx, dy) || 1
      const pull = (((d - spring) * 0.05) / Math.sqrt(Math.max(1, Math.min(degree[from]!, degree[to]!)))) * (0.7 + weight * 0.15)
      const px = (dx / d) * pull
      const py = (dy / d) * pull
      const sink = dy < drop ? ((drop - dy) * 0.035) / Math.sqrt(Math.max(1, Math.max(degree[from]!, degree[to]!)) / 2) : 0
      fx[from]! += px
      fy[from]! += py - sink
      fx[to]! -= px
      fy[to]! -= py - sink
    }
    for (const members of clusters.values()) {
      let mx = 0
      let my = 0
      for (const i of members) {
        mx += x[i]! / members.length
        my += y[i]! / members.length
      }
      for (const i of members) {
        fx[i]! += (mx - x[i]!) * 0.06
        fy[i]! += (my - y[i]!) * 0.06
      }
    }
    for (const i of moving) {
      const force = Math.hypot(fx[i]!, fy[i]!) || 1
      const step = Math.min(force, heat) / force
      x[i]! += fx[i]! * step
      y[i]! += fy[i]! * step
    }
    heat *= cooling
  }
  return false
}

const recentre = (x: Float64Array, y: Float64Array, n: number): void => {
  let sx = 0
  let sy = 0
  for (let i = 0; i < n; i++) {
    sx += x[i]!
    sy += y[i]!
  }
  for (let i = 0; i < n; i++) {
    x[i]! -= sx / n
    y[i]! -= sy / n
  }
}

/** Gives each moving node the free place nearest to where the forces left it, so that no two nodes or labels overlap. */
const separate = (
  nodes: ReadonlyArray<LayoutNode>,
  x: Float64Array,
  y: Float64Array,
  fixed: Uint8Array,
  moving: ReadonlyArray<number>
): void => {
  const cell = 80
  const cells = new Map<string, Array<number>>()
  const put = (i: number) => {
    const key = `${Math.floor(x[i]! / cell)},${Math.floor(y[i]! / cell)}`
    const there = cells.get(key)
    if (there === undefined) cells.set(key, [i])
    else there.push(i)
  }
  const widest = nodes.reduce((most, node) => Math.max(most, node.halfWidth, node.halfHeight), 0) * 2 + gap
  const reach = Math.ceil(widest / cell)
  const free = (i: number, px: number, py: number): boolean => {
    const { halfHeight, halfWidth } = nodes[i]!
    const cx = Math.floor(px / cell)
    const cy = Math.floor(py / cell)
    for (let gx = cx - reach; gx <= cx + reach; gx++) {
      for (let gy = cy - reach; gy <= cy + reach; gy++) {
        for (const j of cells.get(`${gx},${gy}`) ?? []) {
          const other = nodes[j]!
          if (
            Math.abs(px - x[j]!) < halfWidth + other.halfWidth + gap &&
            Math.abs(py - y[j]!) < halfHeight + other.halfHeight + gap
          )
            return false
        }
      }
    }
    return true
  }
  for (let i = 0; i < nodes.length; i++) if (fixed[i] === 1) put(i)
  // from the middle outwards: the middle is where places are scarce
  const order = [...moving].sort((a, b) => x[a]! ** 2 + y[a]! ** 2 - (x[b]! ** 2 + y[b]! ** 2) || a - b)
  for (const i of order) {
    const startX = x[i]!
    const startY = y[i]!
    for (let turn = 0; turn < 4000; turn++) {
      // sunflower: evenly denser rings without a preferred direction
      const away = 9 * Math.sqrt(turn)
      const angle = turn * 2.399963
      const px = startX + Math.cos(angle) * away * 1.4
      const py = startY + Math.sin(angle) * away
      if (free(i, px, py)) {
        x[i] = px
        y[i] = py
        break
      }
    }
    put(i)
  }
}
