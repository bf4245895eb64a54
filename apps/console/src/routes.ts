/** Every path, its title and its loader. Pages are loaded when they are first opened; the map's canvas with it, never before. */
import { html, type TemplateResult } from "lit"
import type { Capability } from "#domain/Role.ts"
import { paths } from "./paths.ts"
import type { Place } from "./place.ts"

export interface Shown {
  readonly place: Place
  /** What the pattern's `:name` parts matched. */
  readonly params: Readonly<Record<string, string>>
}

export interface Route {
  readonly name: string
  readonly pattern: string
  readonly title: string
  /** Which entry of the nav is current. */
  readonly nav: string
  readonly needs: Capability
  /** The page answers for a past instant: `at` in its query. */
  readonly timed?: boolean
  readonly load: () => Promise<unknown>
  readonly render: (shown: Shown) => TemplateResult
}

const id = (shown: Shown) => shown.params["id"] ?? ""

export const routes: ReadonlyArray<Route> = [
  {
    name: "overview",
    pattern: "/",
    title: "Overview",
    nav: "overview",
    needs: "map.read",
    load: () => import("./pages/overview/page-overview.ts"),
    render: () => html`<page-overview></page-overview>`
  },
  {
    name: "map",
    pattern: "/map",
    title: "Map",
    nav: "map",
    needs: "map.read",
    timed: true,
    load: () => import("./pages/map/page-map.ts"),
    render: (shown) => html`<page-map .place=${shown.place}></page-map>`
  },
  {
    name: "assets",
    pattern: "/assets",
    title: "Assets",
    nav: "assets",
    needs: "map.read",
    load: () => import("./pages/assets/page-assets.ts"),
    render: (shown) => html`<page-assets .place=${shown.place}></page-assets>`
  },
  {
    name: "asset",
    pattern: "/assets/:id",
    title: "Asset",
    nav: "assets",
    needs: "map.read",
    load: () => import("./pages/assets/page-asset.ts"),
    render: (shown) => html`<page-asset .key=${id(shown)} .place=${shown.place}></page-asset>`
  },
  {
    name: "dependencies",
    pattern: "/dependencies",
    title: "Dependencies",
    nav: "dependencies",
    needs: "map.read",
    load: () => import("./pages/dependencies/page-dependencies.ts"),
    render: (shown) => html`<page-dependencies .place=${shown.place}></page-dependencies>`
  },
  {
    name: "dependency",
    pattern: "/dependencies/:id",
    title: "Dependency",
    nav: "dependencies",
    needs: "map.read",
    load: () => import("./pages/dependencies/page-dependency.ts"),
    render: (shown) => html`<page-dependency .key=${id(shown)} .place=${shown.place}></page-dependency>`
  },
  {
    name: "flows",
    pattern: "/flows",
    title: "Flows",
    nav: "flows",
    needs: "flows.read",
    load: () => import("./pages/flows/page-flows.ts"),
    render: (shown) => html`<page-flows .place=${shown.place}></page-flows>`
  },
  {
    name: "exporters",
    pattern: "/exporters",
    title: "Exporters",
    nav: "exporters",
    needs: "exporters.read",
    load: () => import("./pages/exporters/page-exporters.ts"),
    render: (shown) => html`<page-exporters .place=${shown.place}></page-exporters>`
  },
  {
    name: "exporter",
    pattern: "/exporters/:id",
    title: "Exporter",
    nav: "exporters",
    needs: "exporters.read",
    load: () => import("./pages/exporters/page-exporter.ts"),
    render: (shown) => html`<page-exporter .key=${id(shown)} .place=${shown.place}></page-exporter>`
  },
  {
    name: "health",
    pattern: "/health",
    title: "Health",
    nav: "health",
    needs: "health.read",
    load: () => import("./pages/health/page-health.ts"),
    render: (shown) => html`<page-health .place=${shown.place}></page-health>`
  },
  {
    name: "settings",
    pattern: "/settings/:section",
    title: "Settings",
    nav: "settings",
    needs: "map.read",
    load: () => import("./pages/settings/page-settings.ts"),
    render: (shown) => html`<page-settings .section=${shown.params["section"]}></page-settings>`
  }
]

/** The entries of the nav, in its order. */
export const nav = [
  { name: "overview", label: "Overview", href: paths.overview(), key: "g o" },
  { name: "map", label: "Map", href: paths.map(), key: "g m" },
  { name: "assets", label: "Assets", href: paths.assets(), key: "g a" },
  { name: "dependencies", label: "Dependencies", href: paths.dependencies(), key: "g d" },
  { name: "flows", label: "Flows", href: paths.flows(), key: "g f" },
  { name: "exporters", label: "Exporters", href: paths.exporters(), key: "g e" },
  { name: "health", label: "Health", href: paths.health(), key: "g h" },
  { name: "settings", label: "Settings", href: paths.settings(), key: "g s" }
] as const

export interface Matched {
  readonly route: Route
  readonly params: Readonly<Record<string, string>>
}

/** The route of a path; a trailing slash is forgiven, `/settings` means its first section. */
export const matchPath = (path: string): Matched | undefined => {
  const bare = path === "/" ? path : path.replace(/\/+$/, "")
  const parts = (bare === "/settings" ? paths.settings() : bare).split("/")
  for (const route of routes) {
    const pattern = route.pattern.split("/")
    if (pattern.length !== parts.length) continue
    const params: Record<string, string> = {}
    const fits = pattern.every((piece, i) => {
      if (!piece.startsWith(":")) return piece === parts[i]
      try {
        params[piece.slice(1)] = decodeURIComponent(parts[i]!)
      } catch {
        return false
      }
      return parts[i] !== ""
    })
    if (fits) return { route, params }
  }
  return undefined
}
