/** `flowlens COMMAND …`: finds the command, loads only what it needs, and exits with its code. */
import { keepCompiledCode } from "./compile-cache.ts"

const usage = `flowlens COMMAND [options]

  start [--demo] [--config FILE]     run the appliance (--demo: with a datacenter of its own playing at it)
  status [--json]                    how the running appliance is
  config check [--json]              the resolved configuration, and what is wrong with it
  decode [--as KIND] FILE…           captured flow datagrams as JSON lines (KIND: datagram, pcap, message-stream)
  replay FILE… --to HOST:PORT        send captured datagrams over UDP
  accuracy [--scenario NAME]         play a known world through the pipeline and measure what comes out
  user add|list|disable|enable|password
  token create|list|revoke

Each takes --help. Documentation: docs/`

type Run = (argv: ReadonlyArray<string>) => Promise<number> | number

const commands: Record<string, () => Promise<Run>> = {
  start: async () => {
    keepCompiledCode(process.env["FLOWLENS_DATA"] ?? "./.flowlens")
    return (await import("./start.ts")).runStart
  },
  status: async () => (await import("./cli/status.ts")).runStatus,
  config: async () => (await import("./cli/config-check.ts")).runConfig,
  decode: async () => {
    const { runDecode } = await import("./cli/decode.ts")
    return (argv) => runDecode(argv, (line) => process.stdout.write(`${line}\n`))
  },
  replay: async () => (await import("./cli/replay.ts")).runReplay,
  accuracy: async () => (await import("./cli/accuracy.ts")).runAccuracy,
  user: async () => (await import("./cli/user.ts")).runUser,
  token: async () => (await import("./cli/token.ts")).runToken
}

if (!process.version.startsWith("v26.")) {
  console.error(`flowlens: needs Node 26, this is ${process.version}; use npm start, or npm run -s flowlens -- COMMAND`)
  process.exit(1)
}
const [name = "", ...argv] = process.argv.slice(2)
const load = commands[name]
if (load === undefined) {
  const asked = name === "" || name === "help" || name === "--help"
  console[asked ? "log" : "error"](asked ? usage : `flowlens: no command ${name}\n\n${usage}`)
  process.exitCode = asked ? 0 : 2
} else {
  process.exitCode = await (await load())(argv)
}
