// node dns-client.mjs SERVER NAME TIMES: asks so often for an address, each time from a socket of its own.
import { Resolver } from "node:dns/promises"

const [server, name, times] = process.argv.slice(2)
for (let i = 0; i < Number(times); i++) {
  const resolver = new Resolver({ timeout: 2000, tries: 1 })
  resolver.setServers([server])
  const found = await resolver.resolve4(name)
  if (found.length !== 1) throw new Error(`${name} has ${found.length} addresses`)
}
