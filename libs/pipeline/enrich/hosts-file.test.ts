import { assert, describe, it } from "vitest"
import { readHosts } from "./hosts-file.ts"

describe("readHosts", () => {
  it("reads addresses of both families, comments, aliases and domains; the first line of an address wins", () => {
    const { names, wrong } = readHosts("# head\n10.0.0.1\tdb-1.core.example db # main\n\n2001:DB8:0::1 six\n10.0.0.1 other\n")
    assert.deepStrictEqual(wrong, [])
    assert.deepStrictEqual(names, [
      { address: "10.0.0.1", name: "db-1", fqdn: "db-1.core.example" },
      { address: "2001:db8::1", name: "six", fqdn: null }
    ])
  })

  it("names each line it cannot read and goes on", () => {
    const { names, wrong } = readHosts("nonsense x\n10.0.0.2\n10.0.0.3 a b\n10.0.0.4 <script>")
    assert.deepStrictEqual(
      names.map((one) => one.name),
      ["a"]
    )
    assert.deepStrictEqual(
      wrong.map((one) => one.line),
      [1, 2, 4]
    )
  })
})
