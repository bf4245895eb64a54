/** Every address in the console, built in one place, so that a link pasted to a colleague still works in the next release. */
import { queryText, revised } from "./place.ts"

/** What a list keeps in its URL. `select` is a row id; `at` an ISO 8601 instant: never "an hour ago". */
export interface ListPlace {
  readonly filter?: string | undefined
  readonly sort?: string | undefined
  readonly order?: "ascending" | "descending" | undefined
  readonly select?: string | undefined
}

export interface MapPlace {
  readonly filter?: string | undefined
  readonly select?: string | undefined
  readonly at?: string | undefined
  /** What the map is asked: `blast`, `path`, `spof`, `compare`. */
  readonly mode?: string | undefined
  readonly view?: "table" | undefined
}

export const settingsSections = ["configuration", "appearance", "declarations", "operators", "tokens", "audit"] as const
export type SettingsSection = (typeof settingsSections)[number]

const withQuery = (path: string, query: object): string =>
  path + queryText(revised(new URLSearchParams(), query as Record<string, string | undefined>))

export const paths = {
  overview: () => "/",
  map: (query: MapPlace = {}) => withQuery("/map", query),
  assets: (query: ListPlace = {}) => withQuery("/assets", query),
  asset: (id: string) => `/assets/${id}`,
  dependencies: (query: ListPlace = {}) => withQuery("/dependencies", query),
  dependency: (id: string) => `/dependencies/${id}`,
  /** `host`, `peer` are addresses or networks; `from`, `to` ISO 8601 instants. */
  flows: (
    query: {
      readonly host?: string | undefined
      readonly peer?: string | undefined
      readonly port?: string | undefined
      readonly protocol?: string | undefined
      readonly exporter?: string | undefined
      readonly from?: string | undefined
      readonly to?: string | undefined
    } = {}
  ) => withQuery("/flows", query),
  exporters: (query: ListPlace = {}) => withQuery("/exporters", query),
  exporter: (id: string) => `/exporters/${id}`,
  /** `actor` is the actor's path in the tree, e.g. `flow/worker-1`. */
  health: (query: { readonly actor?: string | undefined } = {}) => withQuery("/health", query),
  settings: (section: SettingsSection = "appearance") => `/settings/${section}`
} as const
