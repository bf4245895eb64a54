import type { Locator } from "playwright-core"
import { assert, it } from "vitest"
import { describeConsole, path, query } from "./rig.ts"

const keys = [
  ["g m", "/map", "Map"],
  ["g a", "/assets", "Assets"],
  ["g d", "/dependencies", "Dependencies"],
  ["g e", "/exporters", "Exporters"],
  ["g h", "/health", "Health"],
  ["g s", "/settings", undefined],
  ["g o", "/", "Overview"]
] as const

describeConsole("the console by keyboard", (console) => {
  it("goes to each page by its keys, and Back goes back", async () => {
    const page = await console.open("/")
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor()
    for (const [sequence, where, heading] of keys) {
      // both at once: the second key of a sequence has little more than a second
      await Promise.all(sequence.split(" ").map((key) => page.keyboard.press(key)))
      await page.waitForURL((url) => (where === "/" ? url.pathname === "/" : url.pathname.startsWith(where)))
      await page.getByRole("heading", { level: 1, ...(heading === undefined ? {} : { name: heading }) }).waitFor()
    }
    await page.goBack()
    assert.match(path(page), /^\/settings/)
  })

  it("lists its shortcuts with ? and closes them with escape", async () => {
    const page = await console.open("/")
    await page.getByRole("heading", { level: 1 }).waitFor()
    await page.keyboard.press("?")
    await page.getByRole("dialog").waitFor()
    await page.keyboard.press("Escape")
    await page.getByRole("dialog").waitFor({ state: "hidden" })
  })

  it("finds an asset in the palette by a part of its name", async () => {
    const page = await console.open("/")
    await page.getByRole("heading", { level: 1 }).waitFor()
    await page.keyboard.press("/")
    await page.getByRole("combobox").last().fill("db-03")
    await page.getByRole("option", { name: /db-03/ }).first().waitFor()
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: "db-03" }).first().waitFor()
  })

  it("decides about an exporter and looks its records up, without a pointer", async () => {
    const page = await console.open("/exporters")
    await page.getByRole("row").filter({ hasText: "leaf-sw-02" }).waitFor()
    /** Tab until it is there: what the keyboard does not reach is not there. */
    const reach = async (role: "button" | "textbox" | "spinbutton", name: string) => {
      const wanted = page.getByRole(role, { name, exact: true })
      await wanted.waitFor()
      for (let i = 0; i < 80; i++) {
        if (await wanted.evaluate((e) => e.matches(":focus"))) return wanted
        await page.keyboard.press("Tab")
      }
      throw new Error(`80 times Tab, and ${name} has not the focus`)
    }
    const outlined = (locator: Locator) => locator.evaluate((e) => Number.parseFloat(getComputedStyle(e).outlineWidth))
    // to the row of the second rule of the list, and into its page
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { level: 1, name: "edge-fw-01" }).waitFor()
    const limit = await reach("spinbutton", "Silent after")
    assert.isAtLeast(await outlined(limit), 2)
    await page.keyboard.type("90")
    await page.keyboard.press("Enter")
    await page.getByText("edge-fw-01: silent after 90 s").waitFor()
    const set = await reach("button", "Set the silence limit")
    assert.isAtLeast(await outlined(set), 2)

    await Promise.all([page.keyboard.press("g"), page.keyboard.press("f")])
    await page.getByRole("heading", { level: 1, name: "Flows" }).waitFor()
    await reach("textbox", "Protocol")
    await page.keyboard.type("udp")
    await page.keyboard.press("Enter")
    await page.waitForURL(/protocol=udp/)
    await page.getByRole("row").filter({ hasText: "udp" }).first().waitFor()
    assert.strictEqual(await page.getByRole("gridcell", { name: "tcp", exact: true }).count(), 0)
  })

  it("begins with a link that skips to the page", async () => {
    const page = await console.open("/")
    await page.getByRole("heading", { level: 1 }).waitFor()
    await page.keyboard.press("Tab")
    assert.strictEqual(await page.getByRole("link", { name: "Skip to the page" }).evaluate((e) => e.matches(":focus")), true)
  })
})

describeConsole("lists", (console) => {
  it("filters assets, keeps the filter in the URL, and opens one", async () => {
    const page = await console.open("/assets")
    const line = page.getByRole("combobox", { name: /filter/i })
    await line.fill("type:database")
    await line.press("Enter")
    await page.waitForURL(/filter=type:database/)
    await page.getByText("db-01").first().waitFor()
    await page.getByText("web-01").first().waitFor({ state: "detached" })
    await page.reload()
    await page.getByText("db-01").first().waitFor()
    assert.strictEqual(query(page, "filter"), "type:database")
  })

  it("finds one among ten thousand assets", async () => {
    const page = await console.open("/assets", { seed: "large" })
    await page
      .getByText(/10.?000/)
      .first()
      .waitFor()
    const line = page.getByRole("combobox", { name: /filter/i })
    await line.fill("q08999")
    await line.press("Enter")
    await page
      .getByText("q08999")
      .nth(1)
      .or(page.getByRole("link", { name: "q08999" }))
      .first()
      .waitFor()
  })

  it("looks flow records up, keeps the question in the URL, loads more, and says what is wrong with it", async () => {
    const page = await console.open("/flows")
    await page.getByLabel("Port", { exact: true }).fill("5432")
    await page.getByRole("button", { name: "Look up" }).click()
    await page.waitForURL(/port=5432/)
    await page.getByRole("row").filter({ hasText: "5432" }).first().waitFor()
    assert.strictEqual(await page.getByRole("row").filter({ hasNotText: "5432" }).count(), 1, "the head alone")
    await page.getByLabel("Port", { exact: true }).fill("70000")
    await page.keyboard.press("Enter")
    await page.getByRole("alert").filter({ hasText: "port is a number from 0 to 65535" }).waitFor()
    assert.strictEqual(query(page, "port"), "5432")
  })

  it("says how flow records are kept where none are", async () => {
    const page = await console.open("/flows", { seed: "empty" })
    await page.getByText("flow_raw.keep: true").waitFor()
  })

  it("opens a dependency's evidence", async () => {
    const page = await console.open("/dependencies?filter=port:5432")
    await page.getByText("db-01").first().waitFor()
    await page.getByRole("row").filter({ hasText: "5432/tcp" }).first().dblclick()
    await page.getByText("Why this direction").first().waitFor()
    await page.getByText("Opening SYN").first().waitFor()
  })

  it("opens the row that the first of two clicks met, though rows move between them", async () => {
    const page = await console.open("/dependencies?filter=port:5432")
    const rows = page.getByRole("row").filter({ hasText: "5432/tcp" })
    await rows.nth(1).waitFor()
    const meant = await rows.first().getByRole("gridcell").first().textContent()
    await rows.first().dispatchEvent("click", { detail: 1 })
    await rows.nth(1).dispatchEvent("click", { detail: 2 })
    await page.getByText("Why this direction").first().waitFor()
    await page.getByRole("heading", { level: 1 }).filter({ hasText: meant!.trim() }).first().waitFor()
  })

  it("declares a service of an asset, lists it under Settings, and takes it back", async () => {
    const page = await console.open("/assets?filter=name:db-01")
    await page.getByRole("row").filter({ hasText: "db-01" }).first().dblclick()
    await page.getByRole("button", { name: "Declare a service" }).click()
    await page.getByLabel("Port", { exact: true }).fill("4739")
    await page.getByLabel("Protocol").selectOption("UDP")
    await page.getByLabel("Why").fill("collects flows")
    await page.getByRole("button", { name: "Declare", exact: true }).click()
    await page.getByRole("row").filter({ hasText: "4739/udp" }).waitFor()
    await page.goto(new URL("/settings/declarations", page.url()).href)
    const row = page.getByRole("row").filter({ hasText: "collects flows" })
    await row.waitFor()
    await row.getByRole("button", { name: "Remove" }).click()
    await row.waitFor({ state: "detached" })
    await page.getByText("Nothing was declared").waitFor()
    // and that an address never serves, whatever the port
    await page.getByRole("button", { name: "Declare a service" }).click()
    await page.getByLabel("Address").fill("10.20.30.40")
    await page.getByLabel("Word").selectOption("never serves")
    await page.getByRole("button", { name: "Declare", exact: true }).click()
    await page.getByRole("row").filter({ hasText: "any TCP port never serves" }).waitFor()
  })

  it("holds a viewer back and says why", async () => {
    const page = await console.open("/settings/operators", { seed: "viewer" })
    await page
      .getByText(/not granted to the role viewer/)
      .first()
      .waitFor()
  })

  it("says since when it is not live, and comes back by itself", async () => {
    const page = await console.open("/assets")
    await page.getByText("db-01").first().waitFor()
    console.drop(1_500)
    await page.getByText(/reconnecting, since/).waitFor()
    // asked again with growing pauses
    await page.getByTitle(/^last heard/).waitFor()
  })
})
