/** The named worlds of the mock appliance. `failing` and `stale` have the full world and a broken appliance in front of it. */
import { DependencyDetail } from "#domain/Dependency.ts"
import { blindnessOf } from "../coverage.ts"
import { datacenter } from "./datacenter.ts"
import * as exporters from "./exporters.ts"
import { large } from "./large.ts"
import * as system from "./system.ts"
import { makeBuilder, seeded, type World } from "./World.ts"

export const seedNames = ["full", "empty", "large", "failing", "stale", "setup", "viewer"] as const
export type SeedName = (typeof seedNames)[number]
export const isSeedName = (name: string | undefined): name is SeedName => seedNames.some((known) => known === name)

export const makeWorld = (name: SeedName, now: number = Date.now()): World => {
  const random = seeded(name.length * 131)
  const builder = makeBuilder(now, random)
  const fresh = name === "empty" || name === "setup"
  const live = fresh ? () => {} : name === "large" ? large(builder) : datacenter(builder, now)
  const startedAt = now - (fresh ? 240_000 : 2 * 86_400_000)
  const world: World = {
    startedAt,
    assets: builder.assets,
    dependencies: builder.dependencies,
    rates: builder.rates,
    exporters: fresh ? [] : exporters.exporters(now),
    captures: fresh ? [] : exporters.captures(now),
    templates: fresh ? [] : system.templates(now),
    actors: system.actors(now, startedAt, !fresh),
    warnings: fresh ? [] : system.warnings(now),
    settings: system.settings,
    operators: fresh ? system.operators(now).slice(0, 1) : system.operators(now),
    declarations: [],
    tokens: fresh ? [] : system.tokens(now),
    audit: fresh ? [] : system.audit(now),
    traffic: fresh ? [] : system.traffic(now, random),
    version: 1,
    step: () => {
      if (fresh || name === "large") return
      live()
      world.version++
    }
  }
  for (const [id, one] of world.dependencies) {
    const seenBy = one.exporters.map(({ address }) => address)
    const blind = one.state === "stale" ? undefined : blindnessOf(world, seenBy)
    if (blind !== undefined) world.dependencies.set(id, new DependencyDetail({ ...one, blind }))
  }
  return world
}
