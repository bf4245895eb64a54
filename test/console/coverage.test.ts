/** What nobody looks at: hatched and said on the map, cell by cell in the ledger, and in one line on the Overview. */
import { assert, it } from "vitest"
import { describeConsole, settled } from "./rig.ts"

describeConsole("coverage", (console) => {
  it("is said above the map, can be switched off, and stands in the table and the inspector in words", async () => {
    const page = await console.open("/map")
    const note = page.getByText(
      /^Hatched: 1 network and \d+ dependencies that nobody looks at.* not looking since .*: exporter 10\.0\.0\.13 silent\.$/
    )
    await note.waitFor()
    await page.getByText("not looked at", { exact: true }).waitFor()
    await page.getByRole("button", { name: "Do not hatch" }).click()
    await note.waitFor({ state: "detached" })
    await page.getByRole("button", { name: "Hatch them" }).click()
    await note.waitFor()

    await page.goto(`${console.url}/map?view=table&filter=port:554`)
    await page.getByRole("gridcell", { name: "not looked at", exact: true }).first().waitFor()
    await page.goto(`${console.url}/map?select=g:net:10.9.1.0/24`)
    await page.getByText(/6 of 6: not looking since .* Whether they still talk is not known\./).waitFor()
    await page.getByRole("heading", { level: 2, name: "Coverage" }).waitFor()
    await page.getByRole("cell", { name: "not looking", exact: true }).waitFor()
  })

  it("is a state of its own in the lists, with the reason, and the filter line finds it", async () => {
    const page = await console.open("/dependencies?filter=blind:yes")
    const marks = page.getByRole("gridcell", { name: "not looked at", exact: true })
    await marks.first().waitFor()
    assert.strictEqual(await marks.count(), 6)
    await page
      .getByTitle(/^not looking since \d\d:\d\d: exporter 10\.0\.0\.13 silent; before that active/)
      .first()
      .waitFor()
    await page.getByText("6 in all", { exact: true }).waitFor()
    await page.goto(`${console.url}/dependencies?filter=blind:no port:554`)
    await page.getByText("Nothing matches", { exact: true }).waitFor()
    // 480 px: a list of two lines still says it
    const narrow = await console.open("/dependencies?filter=blind:yes", { width: 480 })
    await narrow.getByText("not looked at", { exact: true }).first().waitFor()
  })

  it("is walked cell by cell with the keys, each saying its time, state and reasons, over a day and a week", async () => {
    const page = await console.open("/exporters/6")
    await page.getByRole("heading", { level: 2, name: "Coverage" }).waitFor()
    const strip = page.getByRole("listbox", { name: "Coverage over the last 24 h" })
    await strip.waitFor()
    const cells = await strip.getByRole("option").count()
    assert.include([288, 289], cells)
    const said = async () => (await strip.getByRole("option", { selected: true }).textContent())?.trim() ?? ""
    assert.match(await said(), /^(\d{4}-\d\d-\d\d )?\d\d:\d\d to \d\d:\d\d, not looking: silent$/)
    await strip.focus()
    await page.keyboard.press("Home")
    const first = await said()
    await page.keyboard.press("ArrowDown")
    assert.notStrictEqual(await said(), first)
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("End")
    assert.match(await said(), /silent$/)
    await page.getByRole("button", { name: "7 d" }).click()
    const week = page.getByRole("listbox", { name: "Coverage over the last 7 d" })
    await week.waitFor()
    assert.include([168, 169], await week.getByRole("option").count())
    await page
      .getByText(/blind for \d+ of 60 min/)
      .first()
      .waitFor({ state: "attached" })
  })

  it("is one line on the Overview, and none where there are no exporters", async () => {
    const page = await console.open("/")
    await page.getByText(/Looking at \d+ of \d+ exporters well; 1 network blind since/).waitFor()
    const fresh = await console.open("/", { seed: "empty" })
    await settled(fresh)
    assert.strictEqual(await fresh.getByText(/Looking at/).count(), 0)
  })
})
