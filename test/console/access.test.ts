import { assert, it } from "vitest"
import { mockPassword, setupCode } from "../../apps/console/mock/Bench.ts"
import { describeConsole } from "./rig.ts"

describeConsole("logging in", (console) => {
  it("refuses a wrong password in words, then lets the right one in", async () => {
    const page = await console.open("/", { as: null })
    await page.getByLabel("Name").fill("admin")
    await page.getByLabel("Password").fill("not this one at all")
    await page.getByRole("button", { name: "Log in" }).click()
    await page.getByRole("alert").getByText("Name or password is wrong.").waitFor()
    await page.getByLabel("Password").fill(mockPassword)
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor()
    await page.getByRole("button", { name: "Log out" }).click()
    await page.getByRole("button", { name: "Log in" }).waitFor()
  })

  it("says how long a locked account waits", async () => {
    const page = await console.open("/", { as: null })
    await page.getByLabel("Name").fill("locked")
    await page.getByLabel("Password").fill("whatever it was")
    await page.getByRole("button", { name: "Log in" }).click()
    await page.getByText(/try again in 90 s/).waitFor()
  })

  it("goes where the link led once somebody is logged in", async () => {
    const page = await console.open("/assets?filter=type:database", { as: null })
    await page.getByLabel("Name").fill("viewer")
    await page.getByLabel("Password").fill(mockPassword)
    await page.getByRole("button", { name: "Log in" }).click()
    await page.getByRole("heading", { level: 1, name: "Assets" }).waitFor()
    assert.include(page.url(), "filter=type:database")
  })

  it("makes the first administrator with the setup code, and no other way", async () => {
    const page = await console.open("/", { seed: "setup", as: null })
    await page.getByRole("heading", { level: 1, name: "Set up this appliance" }).waitFor()
    await page.getByLabel("Setup code").fill("WRONG-0000")
    await page.getByLabel("Name of the administrator").fill("nora")
    await page.getByLabel("Password", { exact: false }).first().fill("a long enough sentence")
    await page.getByLabel("Password again").fill("a long enough sentence")
    await page.getByRole("button", { name: "Make the administrator" }).click()
    await page.getByText(/setup code is wrong/i).waitFor()
    await page.getByLabel("Setup code").fill(setupCode)
    await page.getByLabel("Password", { exact: false }).first().fill("password1234")
    await page.getByLabel("Password again").fill("password1234")
    await page.getByRole("button", { name: "Make the administrator" }).click()
    await page.getByRole("alert").getByText("little more than a word that everybody tries first").waitFor()
    await page.getByLabel("Password", { exact: false }).first().fill("a long enough sentence")
    await page.getByLabel("Password again").fill("a long enough sentence")
    await page.getByRole("button", { name: "Make the administrator" }).click()
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor()
  })
})
