/** What the map is asked, read from its URL: filter and moment, how it is grouped, what is open, selected and hidden. */
import { readAt } from "../../frame/when.ts"
import { type Grouping, isGrouping } from "../../map/grouping.ts"
import type { SceneOptions } from "../../map/scene.ts"

export interface MapQuestion {
  readonly filter: string
  /** ms since 1970, as the frame reads it, so that what it says of the past is true; undefined: now. */
  readonly at: number | undefined
  readonly grouping: Grouping
  /** Ids of the groups that are open. */
  readonly open: ReadonlyArray<string>
  readonly selected: string | undefined
  readonly isolating: string | undefined
  readonly only: SceneOptions["only"]
  /** What nobody looks at is hatched. */
  readonly coverage: boolean
  readonly asTable: boolean
}

export const readMapQuestion = (query: URLSearchParams): MapQuestion => {
  const grouping = query.get("group")
  const selected = query.get("select") ?? undefined
  return {
    filter: query.get("filter") ?? "",
    at: readAt(query.get("at")),
    grouping: isGrouping(grouping) ? grouping : "network",
    open: (query.get("open") ?? "").split(",").filter((id) => id !== ""),
    // other pages link with an asset's id alone
    selected: selected !== undefined && /^\d+$/.test(selected) ? `a:${selected}` : selected,
    isolating: query.get("isolate") ?? undefined,
    only: (query.get("only") || undefined) as SceneOptions["only"],
    coverage: query.get("coverage") !== "off",
    asTable: query.get("view") === "table"
  }
}
