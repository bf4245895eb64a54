/** `node apps/appliance/demo/main.ts --to 127.0.0.1 --seconds 30`: the demo on its own. Ends with one JSON line of what was sent. */
import { parseArgs } from "node:util"
import { Effect } from "effect"
import { demo, makeDemoAccount } from "./Demo.ts"
import { expectedDependencies, makeWorld } from "./world.ts"

const usage =
  "usage: node apps/appliance/demo/main.ts [--to ADDRESS] [--seconds N] [--seed N] [--netflow PORT] [--ipfix PORT] [--sflow PORT] [--expected]"

const { values } = parseArgs({
  options: {
    to: { type: "string", default: "127.0.0.1" },
    seconds: { type: "string", default: "30" },
    seed: { type: "string", default: "1" },
    netflow: { type: "string", default: "2055" },
    ipfix: { type: "string", default: "4739" },
    sflow: { type: "string", default: "6343" },
    expected: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  }
})
const number = (name: "seconds" | "seed" | "netflow" | "ipfix" | "sflow") => {
  const value = Number(values[name])
  if (Number.isInteger(value) && value >= 0) return value
  console.error(`--${name} ${values[name]} is not a whole number\n${usage}`)
  return process.exit(2)
}

if (values.help) {
  console.log(usage)
} else if (values.expected) {
  console.log(JSON.stringify(expectedDependencies(makeWorld())))
} else {
  const account = makeDemoAccount()
  const ports = { netflow: number("netflow"), ipfix: number("ipfix"), sflow: number("sflow") }
  await Effect.runPromise(
    demo({ host: values.to, ports, seed: number("seed"), account }).pipe(Effect.timeoutOption(`${number("seconds")} seconds`))
  )
  const exporters = [...account.exporters].map(([name, sent]) => ({ name, ...sent }))
  console.log(JSON.stringify({ conversations: account.conversations, probes: account.probes, exporters }))
}
