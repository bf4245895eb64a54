import { assert, it } from "vitest"
import { describeConsole } from "./rig.ts"

describeConsole("exporters", (console) => {
  it("approves a new one by keyboard, says so, and takes it back with Undo", async () => {
    const page = await console.open("/exporters?filter=new")
    await page.getByRole("row").filter({ hasText: "10.0.9.77" }).first().click()
    const approve = page.getByRole("button", { name: "Approve" })
    await approve.focus()
    await page.keyboard.press("Enter")
    await page.getByText("10.0.9.77 is approved").waitFor()
    await approve.waitFor({ state: "detached" })
    await page.getByRole("button", { name: "Undo" }).click()
    await page.getByText("new, unapproved").first().waitFor()
  })

  it("explains a finding with the lines of the system chosen, and remembers the system", async () => {
    const page = await console.open("/exporters/2")
    await page.getByText("One direction is missing").click()
    await page.getByText("ip flow monitor FLOWLENS input", { exact: false }).first().waitFor()
    await page.getByLabel("System of this exporter").selectOption("mikrotik")
    await page.getByText("/ip traffic-flow set enabled=yes interfaces=all").waitFor()
    await page.reload()
    await page.getByText("One direction is missing").click()
    await page.getByText("/ip traffic-flow set enabled=yes interfaces=all").waitFor()
  })

  it("offers the last datagrams at once", async () => {
    const page = await console.open("/exporters/2")
    await page.getByLabel("Last", { exact: true }).fill("80")
    await page.getByRole("button", { name: "Capture" }).click()
    await page.getByText("80 datagrams").waitFor()
    await page.getByRole("link", { name: "Download pcap" }).first().waitFor()
    await page.getByLabel("Last", { exact: true }).fill("0")
    await page.getByRole("button", { name: "Capture" }).click()
    await page.getByText("say how many datagrams").waitFor()
  })

  it("captures the next ones, shows how far it is, and offers the file", async () => {
    const page = await console.open("/exporters/1")
    await page.getByLabel("Last", { exact: true }).fill("10")
    await page.getByLabel("and next", { exact: true }).fill("40")
    await page.getByRole("button", { name: "Capture" }).click()
    await page.getByText(/\d+ of 50/).waitFor()
    const link = page.getByRole("link", { name: "Download pcap" })
    await link.waitFor()
    assert.match((await link.getAttribute("href"))!, /^\/api\/v1\/exporters\/1\/captures\/[0-9a-f]{16}\.pcap$/)
  })

  it("adds one before it sends, and asks before it forgets one", async () => {
    const page = await console.open("/exporters")
    await page.getByRole("button", { name: "Add an exporter" }).click()
    await page.getByLabel(/Address it sends from/).fill("10.0.0.99")
    await page.getByLabel("Name", { exact: true }).fill("spare")
    await page.getByRole("button", { name: "Add", exact: true }).click()
    await page.getByText("spare is expected").waitFor()
    await page.getByRole("row").filter({ hasText: "spare" }).first().dblclick()
    await page.getByRole("button", { name: "Forget this exporter" }).click()
    await page.getByRole("dialog").waitFor()
    await page.getByRole("button", { name: "Forget", exact: true }).click()
    await page.getByText("spare is forgotten").waitFor()
    await page.getByRole("heading", { level: 1, name: "Exporters" }).waitFor()
    assert.strictEqual(await page.getByRole("row").filter({ hasText: "spare" }).count(), 0)
  })

  it("holds a viewer back, keeps the controls in place and says why", async () => {
    const page = await console.open("/exporters/7", { seed: "viewer" })
    const approve = page.getByRole("button", { name: "Approve" })
    await approve.waitFor()
    assert.strictEqual(await approve.getAttribute("aria-disabled"), "true")
    assert.match((await approve.getAttribute("title"))!, /exporters\.write is not granted/)
  })
})
