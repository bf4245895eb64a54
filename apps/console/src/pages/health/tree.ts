/** Readings by path → the tree as it is shown: parents before children, a parent that is no actor itself still has its line. */
import type { ActorReading } from "#domain/Health.ts"

export interface TreeLine {
  readonly path: string
  /** The last piece of the path. */
  readonly name: string
  readonly depth: number
  /** Undefined: a place in the tree without an actor of its own. */
  readonly actor: ActorReading | undefined
  /** The worst state under it, itself included, so that a folded tree hides nothing. */
  readonly worst: ActorReading["state"] | undefined
}

const badness: Record<ActorReading["state"], number> = { running: 0, stopped: 1, starting: 2, restarting: 3, "given-up": 4 }

const compare = new Intl.Collator("en", { numeric: true }).compare

export const supervisionTree = (actors: ReadonlyArray<ActorReading>): ReadonlyArray<TreeLine> => {
  const byPath = new Map(actors.map((actor) => [actor.path, actor]))
  const paths = new Set<string>()
  for (const { path } of actors) {
    const pieces = path.split("/")
    for (let i = 1; i <= pieces.length; i++) paths.add(pieces.slice(0, i).join("/"))
  }
  // by pieces, so that `a/b` stands under `a` and not after `a-b`
  const sorted = [...paths].sort((a, b) => {
    const [x, y] = [a.split("/"), b.split("/")]
    for (let i = 0; i < Math.min(x.length, y.length); i++) {
      const by = compare(x[i]!, y[i]!)
      if (by !== 0) return by
    }
    return x.length - y.length
  })
  return sorted.map((path) => {
    const pieces = path.split("/")
    let worst: ActorReading["state"] | undefined
    for (const actor of actors) {
      if (actor.path !== path && !actor.path.startsWith(`${path}/`)) continue
      if (worst === undefined || badness[actor.state] > badness[worst]) worst = actor.state
    }
    return { path, name: pieces.at(-1)!, depth: pieces.length - 1, actor: byPath.get(path), worst }
  })
}
