/** The coverage ledger of a seeded world: an exporter that is silent sees nothing since it was last heard, and an upgrade of the appliance stands in the night. */
import { DateTime } from "effect"
import { CoverageCell, type CoverageQuery, CoverageReport, CoverageSummary } from "#domain/CoverageReport.ts"
import { type Cell, type CoverageState, foldCells } from "#domain/coverage.ts"
import type { Exporter } from "#domain/Exporter.ts"
import { networkOf } from "./network-of.ts"
import { instant, type World, windowSeconds } from "./seed/World.ts"

const span = windowSeconds * 1000
const millis = DateTime.toEpochMillis

/** Down for twenty minutes eight hours before the world began to be shown. */
const isDown = (at: number) => Math.floor(at / span) % 288 >= 36 && Math.floor(at / span) % 288 < 40

const cellOf = (exporter: Exporter, at: number, seconds: number): Cell => {
  const cell = (state: CoverageState, quality: number, ...reasons: ReadonlyArray<string>) => ({
    at,
    seconds,
    state,
    quality,
    reasons
  })
  if (isDown(at)) return cell("blind", 0, "the appliance was down")
  const last = millis(exporter.lastSeen)
  if (exporter.state === "silent" && at > last) return cell("blind", 0, "silent")
  if (exporter.state === "silent" && at + span > last)
    return cell("partial", 0.4, `heard for ${Math.round((last - at) / 1000)} of ${windowSeconds} s`)
  if (exporter.state === "waiting") return cell("blind", 0, "all its flow sets wait for their template")
  const turn = Math.floor(at / span) + Number(exporter.id) * 7
  if (exporter.sequenceLost > 0n && turn % 23 < 2) return cell("partial", 0.87, "13 % of its datagrams lost on the way")
  if (exporter.sampling > 1)
    return cell("sampled", 1 / (1 + Math.log10(exporter.sampling)), `samples one packet of ${exporter.sampling}`)
  return cell("good", 1)
}

const called = (exporter: Exporter) => exporter.name ?? exporter.address

/** Since when and why none of them looks. */
export const blindnessOf = (world: World, addresses: ReadonlyArray<string>) => {
  const these = world.exporters.filter(({ address }) => addresses.some((one) => one === address))
  if (these.length === 0 || these.some(({ state }) => state !== "silent")) return undefined
  const since = Math.max(...these.map(({ lastSeen }) => millis(lastSeen)))
  return { since: instant(since), why: `exporter${these.length > 1 ? "s" : ""} ${these.map(called).join(", ")} silent` }
}

/** Network → who sees it, as the dependencies of its assets say. */
export const observersOf = (world: World): ReadonlyMap<string, ReadonlyMap<string, number>> => {
  const seen = new Map<string, Map<string, number>>()
  for (const { client, server, exporters } of world.dependencies.values()) {
    for (const end of [client, server]) {
      if (!end.internal) continue
      const network = networkOf(end.address, true)
      const by = seen.get(network) ?? new Map<string, number>()
      seen.set(network, by)
      for (const { address } of exporters) by.set(address, (by.get(address) ?? 0) + 1000)
    }
  }
  for (const by of seen.values()) {
    const most = Math.max(...by.values())
    for (const [address, records] of by) if (records * 100 < most) by.delete(address)
  }
  return seen
}

export const coverageReport = (world: World, query: CoverageQuery, now: number): CoverageReport | undefined => {
  const to = Math.min(now, millis(query.to))
  const from = Math.floor(Math.max(millis(query.from), to - 9000 * span) / span) * span
  const exporter = world.exporters.find(({ id }) => id === query.exporter)
  if (query.exporter !== undefined && exporter === undefined) return undefined
  const by =
    query.subnet === undefined ? new Map<string, number>() : (observersOf(world).get(query.subnet) ?? new Map<string, number>())
  const looked = exporter === undefined ? world.exporters.filter(({ address }) => by.has(address)) : [exporter]
  const cells: Array<Cell> = []
  for (let at = from; at < to; at += span) {
    const each = looked.map((one) => [one, cellOf(one, at, Math.min(windowSeconds, (to - at) / 1000))] as const)
    const best = each.toSorted((a, b) => b[1].quality - a[1].quality)[0]
    if (best === undefined) cells.push({ at, seconds: windowSeconds, state: "blind", quality: 0, reasons: ["not heard yet"] })
    else if (exporter !== undefined) cells.push(best[1])
    else
      cells.push({
        ...best[1],
        reasons: each.flatMap(([one, cell]) => (cell.reasons.length === 0 ? [] : [`${called(one)}: ${cell.reasons.join(", ")}`]))
      })
  }
  const folded = query.cellSeconds === undefined || query.cellSeconds <= windowSeconds ? cells : foldCells(cells, query.cellSeconds)
  return new CoverageReport({
    from: instant(from),
    to: instant(to),
    cells: folded.map(
      (cell) => new CoverageCell({ ...cell, seconds: Math.round(cell.seconds), at: instant(cell.at), reasons: [...cell.reasons] })
    ),
    observers:
      exporter !== undefined
        ? []
        : looked.map(({ address, lastSeen, name, state }) => ({
            address,
            name,
            records: BigInt(by.get(address) ?? 0),
            lastSeen,
            looking: state !== "silent"
          })),
    blind:
      blindnessOf(
        world,
        looked.map(({ address }) => address)
      ) ?? null
  })
}

export const coverageSummary = (world: World): CoverageSummary => {
  const blind = [...observersOf(world).values()].flatMap((by) => blindnessOf(world, [...by.keys()]) ?? [])
  return new CoverageSummary({
    looking: world.exporters.filter(({ state }) => state === "heard").length,
    exporters: world.exporters.length,
    blindSubnets: blind.length,
    blindSince: blind.length === 0 ? null : instant(Math.min(...blind.map(({ since }) => millis(since))))
  })
}
