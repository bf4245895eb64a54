/**
 * Keeps every node's place: reads what this browser remembers of the view, lets the worker place what is new, never moves what is
 * shown. `arrange` answers at once when nothing is new.
 */
import type { LayoutAnswer, LayoutNode, LayoutRequest, Place } from "./layout.ts"
import type { LayoutDone, LayoutJob } from "./layout-worker.ts"
import { type Memory, makeMemory } from "./positions.ts"
import type { Scene, SceneNode } from "./scene.ts"

const capMs = 2_000
const seed = 20_117

const storage = (): Storage | undefined => {
  try {
    return globalThis.localStorage
  } catch {
    return undefined
  }
}

/** Half of what a node and its label take, px. */
const extent = (node: SceneNode): { readonly halfWidth: number; readonly halfHeight: number } => ({
  halfWidth: Math.min(74, Math.max(26, node.label.length * 3.2)) + node.size * 3,
  halfHeight: 26 + node.size * 6
})

export class Placement {
  /** Of everything this view ever showed. */
  places: ReadonlyMap<string, Place> = new Map()
  last: Pick<LayoutAnswer, "ms" | "capped"> | undefined
  readonly #memory: Memory = makeMemory(storage())
  readonly #changed: () => void
  #view: string | undefined
  #shown: ReadonlySet<string> = new Set()
  #worker: Worker | undefined
  #job = 0

  constructor(changed: () => void) {
    this.#changed = changed
  }

  /** Places every node of the scene; calls back when some were new and now stand. True: all of them stand already. */
  arrange(view: string, scene: Scene): boolean {
    if (view !== this.#view) {
      this.#view = view
      this.places = this.#memory.read(view)
      this.#shown = new Set()
    }
    const request = this.#request(scene)
    this.#shown = new Set(scene.nodes.flatMap(({ id }) => (this.places.has(id) ? [id] : [])))
    if (request === undefined) return true
    const job = ++this.#job
    this.#worker ??= new Worker(new URL("./layout-worker.ts", import.meta.url), { type: "module" })
    this.#worker.onmessage = ({ data }: MessageEvent<LayoutDone>) => {
      if (data.job !== this.#job) return
      const next = new Map(this.places)
      scene.nodes.forEach(({ id }, i) => {
        const at = data.answer.places[i]!
        // taken out first: the memory forgets the oldest entries
        next.delete(id)
        next.set(id, at)
      })
      this.last = { ms: data.answer.ms, capped: data.answer.capped }
      this.#shown = new Set(scene.nodes.map(({ id }) => id))
      this.#keep(next)
    }
    this.#worker.postMessage({ job, request } satisfies LayoutJob)
    return false
  }

  /** The operator moved a node. */
  move(id: string, at: Place): void {
    this.#keep(new Map(this.places).set(id, at))
  }

  /** Forgets the view's places: the next `arrange` begins anew. */
  forget(): void {
    if (this.#view !== undefined) this.#memory.forget(this.#view)
    this.places = new Map()
    this.#shown = new Set()
  }

  stop(): void {
    this.#worker?.terminate()
    this.#worker = undefined
    this.#job++
  }

  #keep(next: ReadonlyMap<string, Place>): void {
    this.places = next
    if (this.#view !== undefined) this.#memory.write(this.#view, next)
    this.#changed()
  }

  /** What the worker is asked; undefined when everything shown has a place. */
  #request(scene: Scene): LayoutRequest | undefined {
    const fixed: Array<{ readonly at: Place; readonly halfWidth: number; readonly halfHeight: number }> = []
    const covers = (at: Place, size: ReturnType<typeof extent>) =>
      fixed.some(
        (other) =>
          Math.abs(at.x - other.at.x) < size.halfWidth + other.halfWidth &&
          Math.abs(at.y - other.at.y) < size.halfHeight + other.halfHeight
      )
    const kept = new Map<string, Place>()
    const keep = (node: SceneNode, at: Place) => {
      fixed.push({ at, ...extent(node) })
      kept.set(node.id, at)
    }
    for (const node of scene.nodes) {
      const at = this.places.get(node.id)
      if (at !== undefined && this.#shown.has(node.id)) keep(node, at)
    }
    // remembered, but its place was given to another meanwhile: it enters beside it
    for (const node of scene.nodes) {
      const at = this.places.get(node.id)
      if (at !== undefined && !kept.has(node.id) && !covers(at, extent(node))) keep(node, at)
    }
    if (kept.size === scene.nodes.length) return undefined
    const index = new Map(scene.nodes.map(({ id }, i) => [id, i]))
    const nodes = scene.nodes.map((node): LayoutNode => {
      const near =
        this.places.get(node.id) ?? (node.parent === undefined ? undefined : this.places.get(node.parent)) ?? this.#middleOf(node)
      return { id: node.id, ...extent(node), at: kept.get(node.id), near, cluster: node.parent }
    })
    const edges = scene.edges.map(({ from, to, width }) => ({ from: index.get(from)!, to: index.get(to)!, weight: width }))
    return { nodes, edges, seed, capMs }
  }

  /** A group that closes stands where its members stood. */
  #middleOf(node: SceneNode): Place | undefined {
    if (node.kind !== "group") return undefined
    const at = node.members.map((member) => this.places.get(`a:${member.id}`)).filter((place) => place !== undefined)
    if (at.length === 0) return undefined
    return { x: at.reduce((sum, p) => sum + p.x, 0) / at.length, y: at.reduce((sum, p) => sum + p.y, 0) / at.length }
  }
}
