/** axe-core, WCAG 2.2 A and AA, on every page in both themes and in the states that look different. */
import axeCore from "axe-core"
import type { Page } from "playwright-core"
import { assert, it } from "vitest"
import { describeConsole, settled } from "./rig.ts"

/** What may differ between the themes; all else is looked for once. */
const ofColour = ["color-contrast", "link-in-text-block"]

const violations = async (page: Page, rules?: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  // evaluated by the debugger, not as a script of the page: the policy stays as strict as the appliance's
  await page.evaluate(axeCore.source)
  return page.evaluate(async (only) => {
    const { axe } = globalThis as unknown as { axe: typeof axeCore }
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    const result = await axe.run(document, {
      runOnly: only === undefined ? { type: "tag", values: tags } : { type: "rule", values: [...only] },
      resultTypes: ["violations"]
    })
    return result.violations.flatMap((violation) =>
      violation.nodes.map(
        (node) => `${violation.id}: ${node.target.flat().join(" ")} ${node.failureSummary?.split("\n")[1]?.trim() ?? ""}`
      )
    )
  }, rules)
}

const pages = [
  ["/", "Overview"],
  ["/map", "Map"],
  ["/map?open=net:10.2.30.0/24&select=a:34", "Map"],
  ["/map?select=g:net:10.2.30.0/24,g:net:10.2.20.0/24&isolate=g:net:10.2.30.0/24", "Map"],
  ["/map?view=table&filter=port:5432", "Map"],
  ["/assets?filter=type:database", "Assets"],
  ["/assets/34", undefined],
  ["/dependencies?filter=port:5432", "Dependencies"],
  ["/dependencies/12", undefined],
  ["/flows?port=5432", "Flows"],
  ["/exporters", "Exporters"],
  ["/exporters?select=2", "Exporters"],
  ["/exporters/2", undefined],
  ["/exporters/7", undefined],
  ["/exporters/8", undefined],
  ["/exporters/6", undefined],
  ["/map?select=g:net:10.9.1.0/24", "Map"],
  ["/health", "Health"],
  ["/settings/appearance", undefined],
  ["/settings/operators", undefined],
  ["/settings/tokens", undefined],
  ["/settings/audit", undefined],
  ["/settings/configuration", undefined]
] as const

describeConsole("accessibility", (console) => {
  for (const theme of ["dark", "light"] as const) {
    it(`has no violation of WCAG 2.2 AA on any page, ${theme}`, async () => {
      const page = await console.open("/", { theme })
      const found: Array<string> = []
      for (const [where, heading] of pages) {
        await page.goto(console.url + where)
        await page.getByRole("heading", { level: 1, ...(heading === undefined ? {} : { name: heading }) }).waitFor()
        await settled(page)
        for (const violation of await violations(page, theme === "dark" ? undefined : ofColour)) found.push(`${where} ${violation}`)
      }
      assert.deepStrictEqual(found, [])
    })
  }

  it("has none in the states without data, nor before login", async () => {
    const found: Array<string> = []
    for (const [seed, where, as] of [
      ["empty", "/map", "admin"],
      ["empty", "/", "admin"],
      ["empty", "/exporters", "admin"],
      ["viewer", "/exporters/2", "admin"],
      ["failing", "/map", "admin"],
      ["full", "/", null],
      ["setup", "/", null]
    ] as const) {
      const page = await console.open(where, { seed, as })
      await page.getByRole("heading", { level: 1 }).waitFor()
      await settled(page)
      for (const violation of await violations(page)) found.push(`${seed} ${where} ${violation}`)
    }
    assert.deepStrictEqual(found, [])
  })

  it("has none with the palette or the map's menu open, and at 480 px", async () => {
    const page = await console.open("/")
    await page.getByRole("heading", { level: 1 }).waitFor()
    await page.keyboard.press("/")
    await page.getByRole("combobox").last().waitFor()
    assert.deepStrictEqual(await violations(page), [])
    await page.goto(`${console.url}/map?select=g:net:10.2.30.0/24`)
    await page.getByRole("heading", { level: 2, name: "10.2.30.0/24" }).waitFor()
    await page.keyboard.press(".")
    await page.getByRole("menu").waitFor()
    assert.deepStrictEqual(await violations(page), [])
    const narrow = await console.open("/map", { width: 480, height: 800 })
    await narrow.getByRole("application").waitFor()
    assert.deepStrictEqual(await violations(narrow), [])
  })
})
