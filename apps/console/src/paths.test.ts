import { assert, describe, expect, it } from "vitest"
import { paths } from "./paths.ts"
import { queryText, revised } from "./place.ts"
import { matchPath, nav, routes } from "./routes.ts"

describe("paths", () => {
  it("stay as they are: links were pasted", () => {
    expect([
      paths.overview(),
      paths.map(),
      paths.map({ select: "12", at: "2026-11-21T14:05:00Z", mode: "blast" }),
      paths.assets(),
      paths.assets({ filter: "type:db seen:<1h 10.2.0.0/16", sort: "bytes", order: "descending", select: "7" }),
      paths.asset("7"),
      paths.dependencies({ filter: "port:5432" }),
      paths.dependency("9"),
      paths.exporters(),
      paths.exporter("3"),
      paths.health({ actor: "flow/worker-1/udp:2055" }),
      paths.settings(),
      paths.settings("audit")
    ]).toMatchInlineSnapshot(`
      [
        "/",
        "/map",
        "/map?select=12&at=2026-11-21T14:05:00Z&mode=blast",
        "/assets",
        "/assets?filter=type:db+seen:%3C1h+10.2.0.0/16&sort=bytes&order=descending&select=7",
        "/assets/7",
        "/dependencies?filter=port:5432",
        "/dependencies/9",
        "/exporters",
        "/exporters/3",
        "/health?actor=flow/worker-1/udp:2055",
        "/settings/appearance",
        "/settings/audit",
      ]
    `)
  })
  it("lead to a route each, and every entry of the nav is one", () => {
    for (const { href, name } of nav) assert.strictEqual(matchPath(href)?.route.nav, name)
    assert.strictEqual(matchPath(paths.asset("7"))?.params["id"], "7")
    assert.strictEqual(matchPath("/assets/")?.route.name, "assets")
    assert.strictEqual(matchPath("/settings")?.params["section"], "appearance")
    assert.isUndefined(matchPath("/nowhere"))
    assert.isUndefined(matchPath("/assets/1/2"))
    assert.isUndefined(matchPath("/assets/%E0%A4%A"))
    assert.strictEqual(new Set(routes.map((route) => route.name)).size, routes.length)
  })
  it("survive a filter with every sign a person may type", () => {
    const filter = `a&b=c #? +"x y" %`
    const read = new URLSearchParams(paths.assets({ filter }).split("?")[1])
    assert.strictEqual(read.get("filter"), filter)
  })
})

describe("a query", () => {
  it("is changed without losing the rest, and vanishes when it is empty", () => {
    const query = revised(new URLSearchParams("filter=x&select=3"), { select: undefined, sort: "name" })
    assert.strictEqual(queryText(query), "?filter=x&sort=name")
    assert.strictEqual(queryText(revised(query, { filter: "", sort: undefined })), "")
  })
})
